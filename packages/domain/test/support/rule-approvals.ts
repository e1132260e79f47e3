import { v7 as uuidv7 } from 'uuid';
import type { NewRule, RuleTerms } from '../../src/index.js';
import type { Books } from './books.js';
import { KEY, newRule, terms, VIEWER } from './rules.js';

/** A limit for approvals. It is below the 100,000 that the rules of `newRule` may create per month. */
export const LIMIT = 60_000n;

export const capped = (perMonthMinor: bigint, over: Partial<RuleTerms> = {}): RuleTerms =>
  terms({ ...over, caps: { ...terms().caps, perMonthMinor } });

/** Rules on books, and the approvals of their versions. */
export const rulesOn = (books: () => Books) => {
  const one = async (id: string) => (await books().domain.rules.one(id, VIEWER))!;
  async function ruled(over: Partial<NewRule> = {}) {
    const created = await books().domain.rules.create(newRule({ accountId: `acct-${uuidv7()}`, ...over }));
    if (!created.ok) throw new Error(created.problem);
    return created.rule;
  }
  return {
    /** Gives the key of the rules a limit. Null: it has none. */
    limited: (minor: bigint | null) =>
      books().rows('update api_key set approval_above = $2 where id = $1', [
        KEY,
        minor === null ? '{}' : `{"USD": "${minor}"}`,
      ]),
    one,
    ruled,
    /** A rule whose month is 50,000: below the limit, so it acts. */
    acting: (over: Partial<NewRule> = {}) => ruled({ terms: capped(50_000n), ...over }),
    changed: async (id: string, wanted: RuleTerms) => {
      const rule = await books().domain.rules.change(id, VIEWER, {
        ...{ terms: wanted, recharge: newRule().recharge, basedOn: null, keyId: KEY, actor: 'ben' },
      });
      if (!rule || rule === 'changed_since') throw new Error(`rule ${id} was not changed`);
      return rule;
    },
    look: (id: string) =>
      books().domain.rules.look(id, () => ({ provider: 'sandbox', providerAccount: 'main' })),
    decide: (approvalId: string, verb: 'approve' | 'refuse' = 'approve', actor = 'eve') =>
      books().domain.approvals.decide({ approvalId, verb, reason: 'as tested', actor, role: 'approver' }),
    statusOf: async (approvalId: string) => (await books().domain.approvals.one(approvalId))!.status,
    monthOf: async (id: string) => (await one(id)).terms.caps.perMonthMinor,
  };
};
