import { hash } from 'node:crypto';
import { limitsFromJson } from '../../core/access/approval.js';
import { termsToStore } from '../../core/rules/rule-terms.js';
import { isAboveLimits } from '../../core/rules/rule-widening.js';
import { Prisma } from '../../generated/client.js';
import { nextLookAt } from '../approvals/standing.js';
import type { Run } from '../database/database.js';
import { consented, termsHashOf } from './consent.js';
import { oneRule } from './list.js';
import type { RuleClock } from './look/clock.js';
import { expiryOf, insertedProposals, type RuleApproving, type RuleProposal } from './proposal.js';
import { type NewRule, payeeName, type RuleView } from './rule.js';

export type RuleProblem = 'no_payee' | 'other_currency' | 'key_used_with_other_body';

export type CreatedRule =
  | Readonly<{ ok: true; replayed: boolean; rule: RuleView }>
  | Readonly<{ ok: false; problem: RuleProblem }>;

const fingerprintOfRule = (rule: NewRule): string =>
  hash('sha256', JSON.stringify([rule.accountId, rule.currency, rule.watch, consentOf(rule).termsHash]));

type KnownRule = Readonly<{ id: string; fingerprint: string | null }>;

/**
 * Stores a rule with the consent of its actor. The rule looks for the first time at once. If it needs an approval, it
 * rests until the approval is given.
 */
export async function createRule(
  run: Run,
  clock: RuleClock,
  approving: RuleApproving,
  rule: NewRule,
): Promise<CreatedRule> {
  const fingerprint = fingerprintOfRule(rule);
  const proposal = (await needsRuleApproval(run, rule)) ? proposalOf(rule, approving) : null;
  const [made] = await run<Readonly<{ id: string | null; payeeCurrency: string | null }>>(
    inserted(clock, rule, { fingerprint, proposal }),
  );
  const viewer = { clientId: rule.clientId, accountPatterns: ['%'] };
  const shown = async (id: string, replayed: boolean): Promise<CreatedRule> => {
    const view = await oneRule(run, clock, id, viewer);
    return view ? { ok: true, replayed, rule: view } : { ok: false, problem: 'key_used_with_other_body' };
  };
  if (made!.id !== null) return shown(made!.id, false);
  const stored = rule.idempotencyKey === null ? null : await byKey(run, rule);
  if (stored?.fingerprint === fingerprint) return shown(stored.id, true);
  if (stored) return { ok: false, problem: 'key_used_with_other_body' };
  return { ok: false, problem: made!.payeeCurrency === null ? 'no_payee' : 'other_currency' };
}

/** Whether a second person has to approve a new rule before it acts. */
export async function needsRuleApproval(run: Run, rule: NewRule): Promise<boolean> {
  const [limits] = await run<Readonly<{ ofKey: unknown; ofPayee: unknown }>>(Prisma.sql`
    select coalesce(key.approval_above, '{}') as "ofKey", coalesce(payee.approval_above, '{}') as "ofPayee"
    from (select) always
    left join api_key key on key.id = ${rule.keyId} and key.client_id = ${rule.clientId}::uuid
    left join payee on payee.account_id = ${rule.accountId} and not ${staysInWallet(rule)}::boolean`);
  return isAboveLimits(
    rule.terms,
    rule.currency,
    limitsFromJson(limits!.ofKey),
    limitsFromJson(limits!.ofPayee),
  );
}

const proposalOf = (rule: NewRule, { newId, expiresMs }: RuleApproving): RuleProposal => ({
  ...{ id: newId(), consent: consentOf(rule), recharge: rule.recharge, widens: [], starts: true, expiresMs },
  by: { keyId: rule.keyId, actor: rule.actor, clientId: rule.clientId },
});

function consentOf({ terms, recharge, actor }: NewRule): RuleProposal['consent'] {
  const stored = termsToStore(terms);
  return { termsHash: termsHashOf(stored, recharge), terms: stored, actor };
}

async function byKey(run: Run, { clientId, idempotencyKey }: NewRule): Promise<KnownRule | null> {
  const [stored] = await run<KnownRule>(Prisma.sql`
    select id, fingerprint
    from recharge_rule
    where client_id = ${clientId}::uuid and idempotency_key = ${idempotencyKey}`);
  return stored ?? null;
}

/** Whether the money stays in the wallet that is watched, so that no payee is needed. */
export const staysInWallet = ({ watch, recharge }: Pick<NewRule, 'watch' | 'recharge'>): boolean =>
  watch === 'wallet' && recharge.destination === 'wallet';

type RuleMaking = Readonly<{
  fingerprint: string;
  /** The approval that the rule rests for. Null: it needs none. */
  proposal: RuleProposal | null;
}>;

const inserted = (clock: RuleClock, rule: NewRule, making: RuleMaking): Prisma.Sql => Prisma.sql`
    with
    payees as materialized (
      select payee.currency, ${payeeName} as target
      from (select) always
      left join payee on payee.account_id = ${rule.accountId}),
    ${insertedRules(clock, rule, making)},
    ${making.proposal ? Prisma.sql`${insertedProposals(making.proposal, 'inserted_rules')},` : Prisma.empty}
    ${consented(clock, consentOf(rule), 'inserted_rules')}
    select (select id from inserted_rules) as id, payees.currency as "payeeCurrency"
    from payees`;

const firstLook = (clock: RuleClock): Prisma.Sql => Prisma.sql`${clock.now()} + interval '2 seconds'`;

const ruleRow = Prisma.sql`
      insert into recharge_rule (
        id,
        client_id,
        key_id,
        idempotency_key,
        fingerprint,
        account_id,
        currency,
        watch,
        below_minor,
        terms,
        recharge,
        target,
        proposal_id,
        in_force,
        status,
        paused_because,
        active_since,
        due_at,
        created_at,
        updated_at)`;

const insertedRules = (
  clock: RuleClock,
  rule: NewRule,
  { fingerprint, proposal }: RuleMaking,
): Prisma.Sql => Prisma.sql`
    inserted_rules as (${ruleRow}
      select
        ${rule.id}::uuid,
        ${rule.clientId}::uuid,
        ${rule.keyId},
        ${rule.idempotencyKey}::text,
        ${fingerprint},
        ${rule.accountId},
        ${rule.currency},
        ${rule.watch},
        ${rule.terms.belowMinor.toString()}::bigint,
        ${JSON.stringify(termsToStore(rule.terms))}::jsonb,
        ${JSON.stringify(rule.recharge)}::jsonb,
        case when ${staysInWallet(rule)}::boolean then null else payees.target end,
        ${proposal?.id ?? null}::uuid,
        ${proposal === null}::boolean,
        ${proposal === null ? 'active' : 'paused'},
        ${proposal === null ? null : 'APPROVAL'}::text,
        ${clock.now()},
        ${proposal === null ? firstLook(clock) : nextLookAt(expiryOf(proposal))},
        ${clock.now()},
        ${clock.now()}
      from payees
      where ${staysInWallet(rule)}::boolean or payees.currency = ${rule.currency}
      on conflict (client_id, idempotency_key) do nothing
      returning id, target, terms_version)`;
