import { readFile } from 'node:fs/promises';
import { Command } from '@commander-js/extra-typings';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT, Misuse } from '../../command.js';
import * as values from '../../values.js';

const EXAMPLE = `
Examples:
  replenish evidence 01a200d6-b7fd-72e4-ab98-dfd489e62fd1 > evidence.json
  replenish evidence 01a200d6-b7fd-72e4-ab98-dfd489e62fd1 --html > evidence.html
  replenish evidence check evidence.json`;

/** Commands that write the evidence of one recharge, and check it. */
export const evidence: Declare = (run) =>
  new Command('evidence')
    .description('print everything on record about one recharge, or check such a file')
    .argument('<transactionId>', 'id of the recharge', values.uuid)
    .option('--html', 'print a page for paper instead of JSON')
    .option('--json', JSON_ABOUT)
    .addHelpText('after', EXAMPLE)
    .action(async (transactionId, { html, json }) => {
      if (html && json) throw new Misuse('--html and --json: give one of them');
      const pack = await withDomain(run.env, (domain) => domain.evidence(transactionId));
      if (pack === null) throw new Error(`there is no recharge ${transactionId}`);
      if (!html) return run.say(JSON.stringify(pack, null, json ? 0 : 2));
      const { evidencePage } = await import('@replenish/assembly');
      run.say(evidencePage(pack).trimEnd());
    })
    .addCommand(check(run));

const check: Declare = ({ say, exitWith }) =>
  new Command('check')
    .description('check a file of `replenish evidence` without a database; exit code 0 only if it holds')
    .argument('<file>', 'the JSON form')
    .option('--json', JSON_ABOUT)
    .action(async (file, { json }) => {
      const { checkEvidence, evidenceFrom } = await import('@replenish/domain/rules');
      const text = await readFile(file, 'utf8').catch((error: Error) => {
        throw new Misuse(`cannot read ${file}: ${error.message}`);
      });
      const pack = evidenceFrom(text);
      if (pack === null) throw new Misuse(`${file} is not what \`replenish evidence\` prints`);
      const { ok, faults, proven, unknown } = checkEvidence(pack);
      if (!ok) exitWith(1);
      if (json)
        return say(JSON.stringify({ ok, transactionId: pack.transactionId, faults, proven, unknown }));
      for (const fault of faults) say(`BROKEN ${fault}`);
      for (const one of proven) say(`holds: ${one}`);
      for (const one of unknown) say(`not known without the database: ${one}`);
    });
