import type { LastingFailure, RuleDeclines } from '../../../core/rules/rule-facts.js';
import { Prisma } from '../../../generated/client.js';
import type { RuleClock } from './clock.js';

/**
 * What became of a recharge of a rule. `unpaid`: it waited for a payer and ended without one. `other`: it is under way,
 * was taken back, or a person ended it.
 */
export type RuleOutcome = Readonly<{
  outcome: 'failed' | 'succeeded' | 'unpaid' | 'other';
  at: string;
  /** The provider's code of a failure. */
  code: string | null;
}>;

export type LastingDeclines = Readonly<Record<string, LastingFailure>>;

// Three declines in a row pause a rule. Canceled recharges may lie between them.
const OUTCOMES = 10;

/** Throttling, an outage and an unknown outcome end no recharge, so what failed was declined, or ended by a person. */
export const endOfRecharge = Prisma.sql`
      case
        when 'FAILED' in (recharge.state, delivery.state) then case
          when exists (
            select
            from transition step
            where step.transaction_id in (recharge.id, delivery.id)
              and step.to_state = 'FAILED' and step.source = 'operator')
          then 'other'
          else 'failed' end
        when recharge.state = 'SUCCEEDED' and coalesce(delivery.state, 'SUCCEEDED') = 'SUCCEEDED' then 'succeeded'
        when recharge.state = 'CANCELED' and recharge.payable_until is not null then 'unpaid'
        else 'other' end`;

/** What a rule created, counted apart: all attempts, those that succeeded, and those that the provider declined. */
export type RuleCounts = Readonly<{ attempts: number; recharges: number; declines: number }>;

/** The counts of `rule` since a time. A burst pauses a rule, so a day has few attempts. */
export const countsSince = (since: Prisma.Sql): Prisma.Sql => Prisma.sql`
  select jsonb_build_object(
    'attempts', count(*),
    'recharges', count(*) filter (where one.outcome = 'succeeded'),
    'declines', count(*) filter (where one.outcome = 'failed'))
  from (
    select ${endOfRecharge} as outcome
    from rule_decision decision
    join recharge_transaction recharge on recharge.id = decision.transaction_id
    left join recharge_transaction delivery on delivery.collected_by = recharge.id
    where decision.rule_id = rule.id and decision.transaction_id is not null and decision.at > ${since}) one`;

/** The newest recharges of `rule` since a person resumed it, newest first. */
export const outcomes = (clock: RuleClock): Prisma.Sql => Prisma.sql`
  select jsonb_agg(
    jsonb_build_object('outcome', one.outcome, 'at', one.at, 'code', one.code)
    order by one.seq desc)
  from (
    select
      decision.seq,
      ${endOfRecharge} as outcome,
      split_part(coalesce(recharge.failure_message, delivery.failure_message), ':', 1) as code,
      ${clock.isOwn ? Prisma.sql`decision.at` : Prisma.sql`coalesce(recharge.failed_at, delivery.failed_at, decision.at)`} as at
    from rule_decision decision
    join recharge_transaction recharge on recharge.id = decision.transaction_id
    left join recharge_transaction delivery on delivery.collected_by = recharge.id
    where decision.rule_id = rule.id and decision.transaction_id is not null and decision.seq > rule.forgiven
    order by decision.at desc
    limit ${OUTCOMES}::int) one`;

export function declinesOf(outcomes: readonly RuleOutcome[], lasting: LastingDeclines): RuleDeclines {
  const counted = outcomes.filter(({ outcome }) => outcome === 'failed' || outcome === 'succeeded');
  const success = counted.findIndex(({ outcome }) => outcome === 'succeeded');
  const declined = success < 0 ? counted : counted.slice(0, success);
  return {
    inARow: declined.length,
    lastAt: declined[0] ? new Date(declined[0].at) : null,
    lasting: lastingOf(outcomes[0], lasting),
  };
}

function lastingOf(newest: RuleOutcome | undefined, lasting: LastingDeclines): LastingFailure | null {
  if (newest?.outcome === 'unpaid') return 'payer_needed';
  if (newest?.outcome !== 'failed' || newest.code === null) return null;
  return Object.hasOwn(lasting, newest.code) ? lasting[newest.code]! : null;
}
