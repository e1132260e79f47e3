import { isHeld } from '../../../core/money/postings.js';
import type { WiderLimits } from '../../../core/rules/rule-caps.js';
import type { RuleDecision } from '../../../core/rules/rule-decision.js';
import type { BurnRate } from '../../../core/rules/rule-facts.js';
import { Prisma } from '../../../generated/client.js';
import type { Approving } from '../../approvals/needed.js';
import { nextLookAt } from '../../approvals/standing.js';
import { countedRecharges, type DayCeiling, inputUnder } from '../../ceilings/day-counter.js';
import { postedJournals } from '../../ledger/post.js';
import {
  aboveCeiling,
  addressedRecharges,
  coveredRecharges,
  creditableRecharges,
  heldRechargeRows,
  type NewRechargeRow,
  storedAndRefused,
  toPost,
  withHold,
} from '../../recharges/creation/create-statement.js';
import { insertedRecharges, newRechargeRows } from '../../recharges/creation/insert-recharges.js';
import { payeeName } from '../rule.js';
import { countedRule, heldByWider, lockedCounters, type RuleCounters } from './counters.js';
import type { RuleState } from './facts.js';

export type FilingOptions = Readonly<{
  hintLimitMs: number;
  lanedProviders: readonly string[];
  approving: Approving;
  /** The caps over many rules. */
  wider: WiderLimits;
  newId: () => string;
}>;

/** A decision with all that is written about it. */
export type DecisionFiling = Readonly<{
  state: RuleState;
  decision: RuleDecision;
  /** The figure of the balance that was compared. Null: it was not known. */
  comparedMinor: bigint | null;
  numbers: Readonly<Record<string, unknown>>;
  /** The time until the next look. */
  dueInMs: number;
  burn: BurnRate | null;
  /** When the burn rate was last summed up. */
  burnAt: Date;
  /** The recharge, if one is decided. */
  recharge: NewRechargeRow | null;
  ceiling: DayCeiling | undefined;
  windows: Readonly<{ day: Date; month: Date }>;
  counters: RuleCounters;
}>;

/**
 * Files a decision and makes its recharge, in one statement. It does neither if the rule changed since its facts were
 * read. The switch of all rules is locked for the statement, so after a stop no decision makes a recharge. Caps are
 * counted again here, and those over many rules on locked counters. Locks are taken in the order rule, switch, counters of
 * rules, counter of the key's ceiling, wallets.
 */
export function filingOf(filing: DecisionFiling, options: FilingOptions): Prisma.Sql {
  const { recharge } = filing;
  return Prisma.sql`
    with recursive
    won_rule as materialized (
      select *
      from recharge_rule
      where id = ${filing.state.id}::uuid and version = ${filing.state.version}::int and status = 'active'
      for update),
    ${recharge ? rechargeParts(filing, recharge, options) : Prisma.sql`${plainOutcome(filing)}`},
    ${filedDecision(filing)},
    ${movedRule(filing)}
    select
      seq,
      at,
      balance_minor as "balanceMinor",
      decided,
      because,
      amount_minor as "amountMinor",
      transaction_id as "transactionId",
      numbers,
      (select provider from outcome) as provider
    from filed_decision`;
}

const plainOutcome = ({ decision }: DecisionFiling): Prisma.Sql => Prisma.sql`
    outcome as materialized (
      select
        id as rule_id,
        ${decision.decided}::text as decided,
        ${decision.because}::text as because,
        ${decision.pause}::text as pause,
        null::uuid as transaction_id,
        null::text as provider
      from won_rule)`;

/** The parts of the statement that check the decision once more, store its recharge, and tell the result. */
function rechargeParts(filing: DecisionFiling, recharge: NewRechargeRow, options: FilingOptions): Prisma.Sql {
  const { ceiling, decision, counters } = filing;
  const isCounted = ceiling !== undefined;
  const held = isHeld(recharge) ? withHold(recharge, options.newId) : null;
  const rows = held ? heldRechargeRows.from([held]) : newRechargeRows.from([recharge]);
  const offered = Prisma.sql`(select new.* from ${rows} new, gate where gate.held is null)`;
  return Prisma.sql`
    ${lockedCounters(counters)},
    ${gate(filing, recharge, options.wider)},
    ${ceiling ? inputUnder(offered, ceiling, isGateOpen) : Prisma.sql`input as materialized ${offered}`},
    ${addressedRecharges(options.approving)},
    ${held ? coveredRecharges([held.debit, held.credit]) : creditableRecharges},
    ${insertedRecharges(held ? 'covered' : 'creditable', { ...options, isCounted })},
    ${held ? Prisma.sql`${toPost}, ${postedJournals},` : Prisma.empty}
    ${ceiling ? Prisma.sql`${countedRecharges},` : Prisma.empty}
    ${countedRule(counters, recharge.amountMinor)},
    fates as materialized (
      ${storedAndRefused}
      union all
      ${held ? uncovered : beyond}
      ${ceiling ? aboveCeiling : Prisma.empty}),
    outcome as materialized (
      select
        gate.id as rule_id,
        case when fates.fate = 'stored' then 'recharge' else 'held_back' end as decided,
        case
          when gate.held is not null then gate.held
          when fates.fate = 'stored' then ${decision.because}::text
          else ${becauseOf} end as because,
        case
          when gate.held = 'PAYEE_CHANGED' then 'PAYEE_CHANGED'
          when gate.held is null and fates.fate = 'no_payee' then 'PAYEE_GONE' end as pause,
        case when fates.fate = 'stored' then fates.id end as transaction_id,
        fates.provider
      from gate
      left join fates on true)`;
}

const isGateOpen = Prisma.sql`(select count(*) from gate where held is null) > 0`;

const uncovered = Prisma.sql`select id, null, 'uncovered', null, null, null, null from uncovered`;
const beyond = Prisma.sql`
      select id, null, 'beyond_balance', null, null, null, null from beyond_balance`;

const becauseOf = Prisma.sql`case fates.fate
            when 'uncovered' then 'INSUFFICIENT_BALANCE'
            when 'beyond_balance' then 'BEYOND_BALANCE'
            when 'above_ceiling' then 'KEY_CEILING'
            when 'no_payee' then 'PAYEE_GONE'
            when 'other_currency' then 'OTHER_CURRENCY' end`;

/**
 * Whether the money of `won_rule` would go to another payee than was agreed. A payee that is gone is found elsewhere:
 * the recharge is refused as `no_payee`.
 */
const isOtherPayee = Prisma.sql`exists (
          select
          from payee
          where won_rule.target is not null and payee.account_id = won_rule.account_id
            and payee.currency = won_rule.currency and ${payeeName} <> won_rule.target)`;

/** The reasons that hold a rule back at the last moment, whatever was decided. */
const gate = (
  { state, windows, counters }: DecisionFiling,
  { amountMinor }: NewRechargeRow,
  wider: WiderLimits,
): Prisma.Sql => Prisma.sql`
    locked_switch as materialized (
      select is_stopped from rule_switch where (select count(*) from won_rule) > 0 for share),
    spent as materialized (
      select
        coalesce(sum(amount_minor) filter (where at > ${windows.day}::timestamptz), 0) as day_minor,
        count(*) filter (where at > ${windows.day}::timestamptz) as times_in_day,
        coalesce(sum(amount_minor) filter (where at >= ${windows.month}::timestamptz), 0) as month_minor,
        count(*) filter (where at >= ${windows.month}::timestamptz) as times_in_month
      from rule_decision
      where rule_id = ${state.id}::uuid and transaction_id is not null
        and at >= least(${windows.day}::timestamptz, ${windows.month}::timestamptz)),
    gate as materialized (
      select won_rule.id, case
        when locked_switch.is_stopped then 'STOPPED'
        when ${isOtherPayee} then 'PAYEE_CHANGED'
        when exists (
          select
          from recharge_transaction unfinished
          where unfinished.id = won_rule.last_recharge_id and unfinished.due_at is not null)
          or exists (
          select
          from recharge_transaction unfinished
          where unfinished.collected_by = won_rule.last_recharge_id and unfinished.due_at is not null)
        then 'UNDER_WAY'
        when ${amountMinor.toString()}::numeric > (won_rule.terms #>> '{caps,perRechargeMinor}')::numeric
          or spent.day_minor + ${amountMinor.toString()}::numeric > (won_rule.terms #>> '{caps,perDayMinor}')::numeric
          or spent.month_minor + ${amountMinor.toString()}::numeric
            > (won_rule.terms #>> '{caps,perMonthMinor}')::numeric
          or spent.times_in_day >= (won_rule.terms #>> '{caps,timesPerDay}')::int
          or spent.times_in_month >= (won_rule.terms #>> '{caps,timesPerMonth}')::int
        then 'CAP_REACHED'${heldByWider(wider, counters, amountMinor)} end as held
      from won_rule, locked_switch, spent)`;

const filedDecision = ({ state, decision, comparedMinor, numbers }: DecisionFiling): Prisma.Sql => Prisma.sql`
    filed_decision as (
      insert into rule_decision (
        rule_id,
        seq,
        at,
        balance_minor,
        decided,
        because,
        amount_minor,
        transaction_id,
        numbers)
      select
        rule_id,
        ${state.decisions + 1}::int,
        ${state.now}::timestamptz,
        ${comparedMinor?.toString() ?? null}::bigint,
        decided,
        because,
        ${decision.amountMinor?.toString() ?? null}::bigint,
        transaction_id,
        ${JSON.stringify(numbers)}::jsonb
      from outcome
      returning *)`;

const movedRule = ({ state, decision, dueInMs, burn, burnAt }: DecisionFiling): Prisma.Sql => Prisma.sql`
    moved_rule as (
      update recharge_rule rule
      set
        decisions = rule.decisions + 1,
        version = rule.version + 1,
        seen_minor = ${state.balanceMinor?.toString() ?? null}::bigint,
        status = case
          when ${decision.isExpired}::boolean then 'expired'
          when outcome.pause is not null then 'paused'
          else rule.status end,
        paused_because = outcome.pause,
        due_at = case
          when not ${decision.isExpired}::boolean and outcome.pause is null
          then ${state.now}::timestamptz + ${dueInMs}::float8 * interval '1 ms'
          when rule.proposal_id is not null then ${nextLookAt()} end,
        last_recharge_id = coalesce(outcome.transaction_id, rule.last_recharge_id),
        awaits_recharge = outcome.transaction_id is not null
          or (outcome.because = 'UNDER_WAY' and rule.awaits_recharge),
        burn = ${burn && JSON.stringify({ perDayMinor: String(burn.perDayMinor), days: burn.days })}::jsonb,
        burn_at = ${burnAt}::timestamptz,
        updated_at = case when outcome.pause is not null then ${state.now}::timestamptz else rule.updated_at end
      from outcome
      where rule.id = outcome.rule_id)`;
