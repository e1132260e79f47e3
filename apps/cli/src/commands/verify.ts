import { invariantNames } from '@replenish/domain';
import type { Command } from '../command.js';
import { withDomain } from './books.js';

/** Checks every invariant of the books. Exit 0 only when all hold; names what is broken otherwise. */
export const verify: Command<'verify'> = async ({ values, env, say }) => {
  const findings = await withDomain(env, (domain) => domain.verify());
  if (values.json) {
    say(JSON.stringify({ ok: findings.length === 0, checked: invariantNames, findings }));
    return findings.length === 0 ? 0 : 1;
  }
  for (const { invariant, meaning, count, examples } of findings) {
    say(`BROKEN ${invariant}: ${meaning}`);
    say(`       ${count} found, for example ${examples.join('; ')}`);
  }
  say(
    findings.length === 0
      ? `all ${invariantNames.length} invariants hold`
      : `${findings.length} of ${invariantNames.length} invariants are broken`,
  );
  return findings.length === 0 ? 0 : 1;
};
