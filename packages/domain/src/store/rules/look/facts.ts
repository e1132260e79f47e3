import { limitsFromJson } from '../../../core/access/approval.js';
import { BURST_MS } from '../../../core/rules/rule-decision.js';
import type { RuleFacts, RuleRecharge, RuleSpending } from '../../../core/rules/rule-facts.js';
import { monthStartOf } from '../../../core/rules/rule-hours.js';
import type { RuleTerms } from '../../../core/rules/rule-terms.js';
import { Prisma } from '../../../generated/client.js';
import type { Ceiling } from '../../ceilings/ceiling.js';
import type { Run } from '../../database/database.js';
import { isNewPayeeOf } from '../../payees/new-payee.js';
import { payeeName, payeeSource, type RuleRow, ruleColumns, walletOf } from '../rule.js';
import type { RuleClock } from './clock.js';
import { countsSince, outcomes, type RuleCounts, type RuleOutcome } from './outcomes.js';

/** A rule with the facts that its next decision depends on. */
export type RuleState = RuleRow &
  Readonly<{
    now: Date;
    isStopped: boolean;
    hasKey: boolean;
    /** The ceilings of its key, by currency. */
    ceilings: Readonly<Record<string, { requestMinor?: string; dayMinor?: string }>>;
    /** The amounts above which a recharge of its key waits for an approval, by currency. */
    approvalAbove: unknown;
    inDay: RuleCounts;
    isNewPayee: boolean;
    payee: string | null;
    /** Our account that delivers to the payee. */
    payeeSource: string | null;
    balanceMinor: bigint | null;
    /** Null: the provider does not tell the cash apart from credit and vouchers, or the rule watches a wallet. */
    cashMinor: bigint | null;
    balanceAt: Date | null;
    underWayMinor: bigint;
    burnAt: Date | null;
    /** The reason of the decision before. */
    lastBecause: string | null;
    last: (Omit<RuleRecharge, 'at'> & Readonly<{ at: string }>) | null;
    /** The newest recharges of the rule that count, newest first. */
    outcomes: readonly RuleOutcome[];
  }>;

/** Reads an active rule with its facts. Null: there is none. */
export async function readState(run: Run, clock: RuleClock, id: string): Promise<RuleState | null> {
  const [state] = await run<RuleState>(stateOf(clock, id));
  return state ?? null;
}

/** The account that the rule's money goes to, as `watched`. Only of a rule that watches the cloud. */
export const watchedAccount = Prisma.sql`
  left join watched_account watched on rule.watch = 'cloud'
    and watched.provider = payee.provider
    and watched.provider_account = payee.provider_account
    and watched.account = payee.to_account
    and watched.currency = rule.currency`;

const stateOf = (clock: RuleClock, id: string): Prisma.Sql => Prisma.sql`
  select
    ${ruleColumns},
    ${clock.now()} as now,
    switch.is_stopped as "isStopped",
    key.id is not null as "hasKey",
    coalesce(key.ceilings, '{}') as ceilings,
    coalesce(key.approval_above, '{}') as "approvalAbove",
    (${countsSince(Prisma.sql`${clock.now()} - interval '1 day'`)}) as "inDay",
    ${payeeName} as payee,
    (${isNewPayee}) as "isNewPayee",
    ${payeeSource} as "payeeSource",
    case when rule.watch = 'wallet' then coalesce((${walletOf}), 0) else watched.balance_minor end as "balanceMinor",
    case when rule.watch = 'cloud' then watched.cash_minor end as "cashMinor",
    case when rule.watch = 'wallet' then ${clock.now()} else watched.read_at end as "balanceAt",
    (${underWay}) as "underWayMinor",
    rule.burn_at as "burnAt",
    (
      select before.because
      from rule_decision before
      where before.rule_id = rule.id and before.seq = rule.decisions) as "lastBecause",
    (${lastRecharge(clock)}) as last,
    coalesce((${outcomes(clock)}), '[]') as outcomes
  from recharge_rule rule
  cross join rule_switch switch
  left join api_key key on key.id = rule.key_id and key.client_id = rule.client_id and key.revoked_at is null
    and (key.expires_at is null or key.expires_at > now())
  left join payee on payee.account_id = rule.account_id and payee.currency = rule.currency
  ${watchedAccount}
  where rule.id = ${id}::uuid and rule.status = 'active'`;

/**
 * Money of the client that comes to the balance: what is unfinished, and what arrived at the cloud after its balance was
 * read.
 */
export const underWay = Prisma.sql`
  select (coalesce(sum(coming.amount_minor), 0) + coalesce((
    select sum(arrived.amount_minor)
    from recharge_transaction arrived
    where rule.watch = 'cloud'
      and arrived.provider = payee.provider
      and arrived.provider_account = payee.provider_account
      and arrived.currency = rule.currency
      and arrived.succeeded_at > watched.read_at
      and arrived.payee is not null and arrived.kind = 'deliver'
      and arrived.payee ->> 'to' = payee.to_account), 0))::bigint
  from recharge_transaction coming
  where coming.client_id = rule.client_id
    and coming.account_id collate "C" = rule.account_id
    and coming.state in ('CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION')
    and coming.currency = rule.currency
    and case rule.watch
      when 'wallet' then coming.kind in ('collect', 'recall') and coming.funding = 'wallet'
        and (coming.kind = 'recall' or coming.payee is null)
      else coming.kind in ('collect', 'deliver') and coming.payee ->> 'to' = payee.to_account end`;

/** Whether `rule` pays to a `payee` at which no delivery for its account has arrived. */
export const isNewPayee = isNewPayeeOf(Prisma.sql`rule.account_id`);

// Money is often paid back weeks later, when newer recharges were made. A rule makes a few recharges per week.
const LOOKED_BACK = 10;

/** The newest recharges of `rule`, with the deliveries of their money. */
const newestRecharges = Prisma.sql`(
      select made.seq, made.transaction_id as id, sent.id as delivery_id
      from (
        select seq, transaction_id
        from rule_decision
        where rule_id = rule.id and transaction_id is not null
        order by at desc
        limit ${LOOKED_BACK}::int) made
      left join recharge_transaction sent on sent.collected_by = made.transaction_id)`;

/**
 * A person who resumes a rule knows of what was paid back before, and not of what is paid back later. The clock of a test
 * is not the one that refunds have.
 */
const isForgiven = ({ isOwn }: RuleClock): Prisma.Sql =>
  isOwn
    ? Prisma.sql`newest.seq <= rule.forgiven`
    : Prisma.sql`newest.seq <= rule.forgiven and back.created_at <= rule.active_since`;

const lastRecharge = (clock: RuleClock): Prisma.Sql => Prisma.sql`
  select jsonb_build_object(
    'at', decision.at,
    'isUnderWay', recharge.due_at is not null or delivery.due_at is not null,
    'hasOpenCase', exists (
      select
      from ${newestRecharges} newest
      join reconciliation_case one on one.transaction_id in (newest.id, newest.delivery_id)
      where one.closed_at is null),
    'isCanary', coalesce((decision.numbers ->> 'isCanary')::boolean, false),
    'isPaidBack', exists (
      select
      from ${newestRecharges} newest
      join recharge_transaction back on back.refund_of in (newest.id, newest.delivery_id)
      where back.state not in ('FAILED', 'CANCELED') and not (${isForgiven(clock)})))
  from recharge_transaction recharge
  join rule_decision decision on decision.transaction_id = recharge.id
  left join recharge_transaction delivery on delivery.collected_by = recharge.id
  where recharge.id = rule.last_recharge_id`;

/** The beginnings of the windows in which the recharges of a rule are counted. */
export const windowsOf = (now: Date, { timeZone }: Pick<RuleTerms, 'timeZone'>) => ({
  day: new Date(now.getTime() - 86_400_000),
  month: monthStartOf(now, timeZone),
});

/** What a rule created, by its decisions. A recharge counts whatever became of it. */
export async function readSpent(run: Run, state: RuleState, terms: RuleTerms): Promise<RuleSpending> {
  const { day, month } = windowsOf(state.now, terms);
  const burst = new Date(Math.max(state.now.getTime() - BURST_MS, state.activeSince.getTime()));
  const from = new Date(Math.min(day.getTime(), month.getTime()));
  const [spent] = await run<RuleSpending>(Prisma.sql`
    select
      coalesce(sum(amount_minor) filter (where at > ${day}::timestamptz), 0)::bigint as "dayMinor",
      count(*) filter (where at > ${day}::timestamptz)::int as "timesInDay",
      min(at) filter (where at > ${day}::timestamptz) + interval '1 day' as "dayFreeAt",
      coalesce(sum(amount_minor) filter (where at >= ${month}::timestamptz), 0)::bigint as "monthMinor",
      count(*) filter (where at >= ${month}::timestamptz)::int as "timesInMonth",
      count(*) filter (where at > ${burst}::timestamptz)::int as "timesInBurst"
    from rule_decision
    where rule_id = ${state.id}::uuid and transaction_id is not null and at >= ${from}::timestamptz`);
  return spent!;
}

export type CountedFacts = Pick<RuleFacts, 'spending' | 'wider' | 'declines' | 'burn'>;

export function factsOf(state: RuleState, { spending, wider, declines, burn }: CountedFacts): RuleFacts {
  const { balanceMinor, cashMinor, balanceAt, last } = state;
  return {
    isStopped: state.isStopped,
    hasKey: state.hasKey,
    target: targetOf(state),
    isNewPayee: state.isNewPayee,
    reading:
      balanceMinor === null || balanceAt === null ? null : { minor: balanceMinor, cashMinor, at: balanceAt },
    underWayMinor: state.underWayMinor,
    last: last && { ...last, at: new Date(last.at) },
    spending,
    wider,
    declines,
    burn,
    activeSince: state.activeSince,
  };
}

function targetOf({ recharge, watch, target, payee }: RuleState): RuleFacts['target'] {
  if (recharge.destination === 'wallet' && watch === 'wallet') return 'agreed';
  if (payee === null) return 'gone';
  return payee === target ? 'agreed' : 'changed';
}

/** The amount above which a recharge of the rule waits for an approval, by the limits of its key. Null: none waits. */
export const approvalAboveOf = ({ approvalAbove, currency }: RuleState): bigint | null =>
  limitsFromJson(approvalAbove)[currency] ?? null;

/** The ceiling of the rule's key in its currency. `none`: the key may not use the currency. */
export function ceilingOfRule({ ceilings, currency }: RuleState): Ceiling | 'none' | undefined {
  if (Object.keys(ceilings).length === 0) return undefined;
  const { [currency]: own } = ceilings;
  if (!own) return 'none';
  const minor = (text: string | undefined) => (text === undefined ? null : BigInt(text));
  return { requestMinor: minor(own.requestMinor), dayMinor: minor(own.dayMinor) };
}
