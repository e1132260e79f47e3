import { Command } from '@commander-js/extra-typings';
import type { ChainCheck, Domain, Finding } from '@replenish/domain';
import { withDomain } from '../books.js';
import { type Declare, JSON_ABOUT } from '../command.js';
import { type Tell, withProgress } from '../progress.js';

export const verify: Declare = ({ env, say, exitWith, ...screen }) =>
  new Command('verify')
    .description('check every invariant of the books; exit code 0 only when all hold')
    .option('--chain', 'also recompute the chain of hashes over the books, and name what was changed')
    .option('--json', JSON_ABOUT)
    .action(async ({ json, chain: isChained = false }) => {
      const { invariantNames } = await import('@replenish/domain');
      const { findings, chain } = await withProgress(
        screen,
        `checking ${invariantNames.length} invariants`,
        (tell) => withDomain(env, (domain) => checked(domain, invariantNames.length, isChained, tell)),
      );
      const isWhole = findings.length === 0 && (chain === null || chain.broken.length === 0);
      if (!isWhole) exitWith(1);
      if (json) {
        const told = chain && { chain: inJson(chain) };
        say(JSON.stringify({ ok: isWhole, checked: invariantNames, findings, ...told }));
        return;
      }
      for (const line of findingLines(findings, invariantNames.length)) say(line);
      if (chain) for (const line of chainLines(chain)) say(line);
    });

type Checked = Readonly<{ findings: Finding[]; chain: ChainCheck | null }>;

async function checked(domain: Domain, count: number, isChained: boolean, tell: Tell): Promise<Checked> {
  const findings = await domain.verify((name, nth) =>
    tell(`checking ${name}, ${nth} of ${count} invariants`),
  );
  const chain = isChained
    ? await domain.chain.check((seq) => tell(`checked ${seq} links of the chain`))
    : null;
  return { findings, chain };
}

function findingLines(findings: readonly Finding[], count: number): string[] {
  if (findings.length === 0) return [`all ${count} invariants hold`];
  return [
    ...findings.flatMap(({ invariant, meaning, count: rows, examples }) => [
      `BROKEN ${invariant}: ${meaning}`,
      `       ${rows} found, for example ${examples.join('; ')}`,
    ]),
    `${findings.length} of ${count} invariants are broken`,
  ];
}

function chainLines({ head, unsealed, broken }: ChainCheck): string[] {
  if (broken.length > 0)
    return broken.map(
      ({ seq, source, rowKey, why }) =>
        `BROKEN chain${seq === null ? '' : ` at ${seq}`}: ${source} ${rowKey} ${whys[why]}`,
    );
  const waiting = unsealed > 0 ? `; ${unsealed} rows are not sealed yet` : '';
  return [`the chain of ${head.seq} rows holds, head ${head.hash}${waiting}`];
}

const whys: Record<ChainCheck['broken'][number]['why'], string> = {
  changed: 'was changed after it was sealed',
  deleted: 'was deleted',
  'link missing': 'has no link before it: a link of the chain was deleted',
  'not sealed': 'was written past the guards: no link covers it',
};

const inJson = ({ head, unsealed, broken }: ChainCheck) => ({
  sealedTo: Number(head.seq),
  head: head.hash,
  unsealed,
  broken: broken.map(({ seq, ...one }) => ({ seq: seq === null ? null : Number(seq), ...one })),
});
