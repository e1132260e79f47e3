import { Command } from '@commander-js/extra-typings';
import { withDomain } from '../books.js';
import { type Declare, JSON_ABOUT } from '../command.js';
import { withProgress } from '../progress.js';

export const verify: Declare = ({ env, say, exitWith, ...screen }) =>
  new Command('verify')
    .description('check every invariant of the books; exit code 0 only when all hold')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const { invariantNames } = await import('@replenish/domain');
      const findings = await withProgress(screen, `checking ${invariantNames.length} invariants`, (tell) =>
        withDomain(env, (domain) =>
          domain.verify((name, nth) =>
            tell(`checking ${name}, ${nth} of ${invariantNames.length} invariants`),
          ),
        ),
      );
      const allHold = findings.length === 0;
      if (!allHold) exitWith(1);
      if (json) {
        say(JSON.stringify({ ok: allHold, checked: invariantNames, findings }));
        return;
      }
      for (const { invariant, meaning, count, examples } of findings) {
        say(`BROKEN ${invariant}: ${meaning}`);
        say(`       ${count} found, for example ${examples.join('; ')}`);
      }
      if (allHold) say(`all ${invariantNames.length} invariants hold`);
      else say(`${findings.length} of ${invariantNames.length} invariants are broken`);
    });
