import { hash } from 'node:crypto';
import type { RuleTerms, StoredTerms } from '../../core/rule-terms.js';
import { termsToStore } from '../../core/rule-terms.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { RuleClock } from './clock.js';
import { isVisible, oneRule, type RuleViewer } from './list.js';
import { type NewRule, payeeName, type RuleRechargeForm, type RuleView } from './rule.js';

export type RuleProblem = 'no_payee' | 'other_currency' | 'key_used_with_other_body';

export type CreatedRule =
  | Readonly<{ ok: true; replayed: boolean; rule: RuleView }>
  | Readonly<{ ok: false; problem: RuleProblem }>;

export type RuleChange = Readonly<{
  terms: RuleTerms;
  recharge: RuleRechargeForm;
  keyId: string;
  actor: string;
}>;

/** The hash of what is agreed: the terms, and how and where the money goes. */
const termsHashOf = (terms: StoredTerms, recharge: RuleRechargeForm): string =>
  hash('sha256', JSON.stringify([terms, recharge]));

const fingerprintOfRule = ({ accountId, currency, watch, terms, recharge }: NewRule): string =>
  hash('sha256', JSON.stringify([accountId, currency, watch, termsHashOf(termsToStore(terms), recharge)]));

type KnownRule = Readonly<{ id: string; fingerprint: string | null }>;

/** Stores a rule with the consent of its actor. It looks for the first time at once. */
export async function createRule(run: Run, clock: RuleClock, rule: NewRule): Promise<CreatedRule> {
  const fingerprint = fingerprintOfRule(rule);
  const [made] = await run<Readonly<{ id: string | null; payeeCurrency: string | null }>>(
    inserted(clock, rule, fingerprint),
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

const inserted = (clock: RuleClock, rule: NewRule, fingerprint: string): Prisma.Sql => {
  const terms = termsToStore(rule.terms);
  const consent = { termsHash: termsHashOf(terms, rule.recharge), terms, actor: rule.actor };
  return Prisma.sql`
    with
    payees as materialized (
      select payee.currency, ${payeeName} as target
      from (select) always
      left join payee on payee.account_id = ${rule.accountId}),
    ${insertedRules(clock, rule, fingerprint)},
    ${consented(clock, consent, 'inserted_rules')}
    select (select id from inserted_rules) as id, payees.currency as "payeeCurrency"
    from payees`;
};

const insertedRules = (clock: RuleClock, rule: NewRule, fingerprint: string): Prisma.Sql => Prisma.sql`
    inserted_rules as (
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
        active_since,
        due_at,
        created_at,
        updated_at)
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
        ${clock.now()},
        ${clock.now()} + interval '2 seconds',
        ${clock.now()},
        ${clock.now()}
      from payees
      where ${staysInWallet(rule)}::boolean or payees.currency = ${rule.currency}
      on conflict (client_id, idempotency_key) do nothing
      returning id, target)`;

type Consent = Readonly<{ termsHash: string; terms: StoredTerms; actor: string }>;

/** The consent to the terms of the rules in the relation `from`. */
const consented = (
  clock: RuleClock,
  { termsHash, terms, actor }: Consent,
  from: 'inserted_rules' | 'changed_rules',
): Prisma.Sql => Prisma.sql`
    consents as (
      insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor, at, target)
      select
        id,
        ${from === 'inserted_rules' ? Prisma.sql`1` : Prisma.sql`terms_version`},
        ${termsHash},
        ${JSON.stringify(terms)}::jsonb,
        ${actor},
        ${clock.now()},
        target
      from ${Prisma.raw(from)})`;

/** The place where the money of `rule` goes now. */
const presentTarget = Prisma.sql`(
        select ${payeeName}
        from payee
        where payee.account_id = rule.account_id and payee.currency = rule.currency)`;

/** Replaces the terms of a rule. What the rule created so far still counts towards its caps. */
export async function changeRule(
  run: Run,
  clock: RuleClock,
  id: string,
  viewer: RuleViewer,
  { terms, recharge, keyId, actor }: RuleChange,
): Promise<RuleView | null> {
  if (!isUuid(id)) return null;
  const stored = termsToStore(terms);
  await run(Prisma.sql`
    with
    changed_rules as (
      update recharge_rule rule
      set
        terms = ${JSON.stringify(stored)}::jsonb,
        below_minor = ${terms.belowMinor.toString()}::bigint,
        recharge = ${JSON.stringify(recharge)}::jsonb,
        target = case when rule.watch = 'wallet' and ${recharge.destination}::text = 'wallet' then null
          else ${presentTarget} end,
        key_id = ${keyId},
        terms_version = rule.terms_version + 1,
        version = rule.version + 1,
        status = case when rule.status = 'expired' then 'active' else rule.status end,
        due_at = case when rule.status <> 'paused' then ${clock.now()} end,
        updated_at = ${clock.now()}
      where rule.id = ${id}::uuid and ${isVisible(viewer)}
      returning rule.id, rule.terms_version, rule.target),
    ${consented(clock, { termsHash: termsHashOf(stored, recharge), terms: stored, actor }, 'changed_rules')}
    select id
    from changed_rules`);
  return oneRule(run, clock, id, viewer);
}

/** Who resumes a rule, in words. A key that resumes it takes it over. Null: the rule keeps its key. */
export type Resumer = Readonly<{ keyId: string | null; actor: string }>;

/** A new status that a person gives a rule. */
export type StatusWish = Readonly<{ to: 'paused' | 'deleted' }> | (Readonly<{ to: 'active' }> & Resumer);

export async function statusChange(
  run: Run,
  clock: RuleClock,
  id: string,
  viewer: RuleViewer,
  wish: StatusWish,
): Promise<RuleView | null> {
  if (!isUuid(id)) return null;
  if (wish.to !== 'deleted') {
    await run(wish.to === 'active' ? resumed(clock, id, viewer, wish) : pausedByRequest(clock, id, viewer));
    return oneRule(run, clock, id, viewer);
  }
  const before = await oneRule(run, clock, id, viewer);
  await run(Prisma.sql`
    update recharge_rule rule
    set status = 'deleted', paused_because = null, due_at = null, version = rule.version + 1,
      updated_at = ${clock.now()}
    where rule.id = ${id}::uuid and ${isVisible(viewer)}`);
  return before;
}

/** A rule that is paused already keeps its reason. */
const pausedByRequest = (clock: RuleClock, id: string, viewer: RuleViewer): Prisma.Sql => Prisma.sql`
  update recharge_rule rule
  set status = 'paused', paused_because = 'BY_REQUEST', due_at = null, version = rule.version + 1,
    updated_at = ${clock.now()}
  where rule.id = ${id}::uuid and ${isVisible(viewer)} and rule.status = 'active'`;

/** To resume a rule is to agree to its terms again, and to the place where its money goes now. */
const resumed = (
  clock: RuleClock,
  id: string,
  viewer: RuleViewer,
  { keyId, actor }: Resumer,
): Prisma.Sql => Prisma.sql`
  with
  resumed_rules as (
    update recharge_rule rule
    set
      status = 'active',
      paused_because = null,
      forgiven = rule.decisions,
      active_since = ${clock.now()},
      key_id = coalesce(${keyId}::text, rule.key_id),
      target = case when rule.watch = 'wallet' and rule.recharge ->> 'destination' = 'wallet' then null
        else ${presentTarget} end,
      terms_version = rule.terms_version + 1,
      version = rule.version + 1,
      due_at = ${clock.now()},
      updated_at = ${clock.now()}
    where rule.id = ${id}::uuid and ${isVisible(viewer)} and rule.status = 'paused'
    returning rule.id, rule.terms_version, rule.terms, rule.target)
  insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor, at, target)
  select
    resumed.id,
    resumed.terms_version,
    before.terms_hash,
    resumed.terms,
    ${actor},
    ${clock.now()},
    resumed.target
  from resumed_rules resumed
  join rule_consent before on before.rule_id = resumed.id and before.terms_version = resumed.terms_version - 1`;
