import { Command } from '@commander-js/extra-typings';
import type { HeadCheck } from '@replenish/domain';
import { withDomain } from '../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../command.js';

const EXAMPLE = `
Keep the head outside the database, for example once per day:
  replenish chain head --json > head.json
Later, it proves that nothing before it was changed and that no older backup was restored:
  replenish chain check --head head.json`;

/** The chain of hashes over the books. */
export const chain: Declare = (run) =>
  [head, check].reduce(
    (group, declare) => group.addCommand(declare(run)),
    new Command('chain')
      .description('show the newest hash over the books, or prove a saved one')
      .addHelpText('after', EXAMPLE),
  );

const head: Declare = ({ env, say }) =>
  new Command('head')
    .description('show the newest hash over the books')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const { seq, hash, sealedAt, unsealed } = await withDomain(env, (domain) => domain.chain.head());
      if (json) return say(JSON.stringify({ seq: Number(seq), hash, sealedAt, unsealed }));
      say(`${hash} over ${seq} rows${sealedAt ? `, sealed at ${sealedAt.toISOString()}` : ''}`);
      if (unsealed > 0) say(`${unsealed >= 1_000 ? 'at least ' : ''}${unsealed} rows are not sealed yet`);
    });

const check: Declare = ({ env, say, exitWith }) =>
  new Command('check')
    .description('prove that the books still begin with what a saved head covers; exit code 0 only then')
    .requiredOption('--head <file>', 'what `replenish chain head --json` printed')
    .option('--json', JSON_ABOUT)
    .action(async ({ head: file, json }) => {
      const saved = await readHead(file);
      const result = await withDomain(env, (domain) => domain.chain.checkHead(saved));
      if (result !== 'holds') exitWith(1);
      if (json)
        return say(
          JSON.stringify({ ok: result === 'holds', result, seq: Number(saved.seq), hash: saved.hash }),
        );
      say(sentences[result](saved.seq));
    });

const sentences: Record<HeadCheck, (seq: bigint) => string> = {
  holds: (seq) =>
    `holds: the first ${seq} rows have the hash of the saved head; \`replenish verify --chain\` checks the rows themselves`,
  'older database': (seq) =>
    `BROKEN: the chain ends before row ${seq}, so this database is older than the saved head`,
  'other chain': (seq) =>
    `BROKEN: the hash at row ${seq} is another one, so rows before it were changed or replaced`,
};

async function readHead(file: string): Promise<{ seq: bigint; hash: string }> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(file, 'utf8').catch(() => {
    throw new Misuse(`cannot read ${file}`);
  });
  const wrong = new Misuse(`${file} is not what \`replenish chain head --json\` prints`);
  try {
    const { seq, hash } = JSON.parse(text) as { seq?: unknown; hash?: unknown };
    if (!Number.isSafeInteger(seq) || typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash)) throw wrong;
    return { seq: BigInt(seq as number), hash };
  } catch {
    throw wrong;
  }
}
