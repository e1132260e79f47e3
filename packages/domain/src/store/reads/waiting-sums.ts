import { leavesGoing } from '../../core/cases/case-kinds.js';
import type { WaitingReason } from '../../core/waiting/waiting.js';
import { Prisma } from '../../generated/client.js';
import { openNow, stops } from '../breakers/breakers.js';
import type { Run } from '../database/database.js';

/** The unfinished recharges that wait for one reason, with the sum of their amounts in one currency. */
export type WaitingSum = Readonly<{
  reason: WaitingReason;
  currency: string;
  count: number;
  amountMinor: bigint;
}>;

/** The most recharges that are summed, and the most open cases that are looked through. Each costs a buffer or two. */
export const SUMMED_MAX = 800;

/**
 * A relation `(id, created_at, reason, state, account_id, provider, currency, amount_minor)`: the oldest unfinished recharges, SUMMED_MAX at most,
 * with what each waits for.
 */
export const oldestWaiting = Prisma.sql`(
    with
    oldest as materialized (
      select
        id, created_at, state, account_id, confirmation, next_step, waiting, action, kind, provider, provider_account,
        currency, amount_minor
      from recharge_transaction
      where due_at is not null
      order by created_at
      limit ${SUMMED_MAX}::int),
    stopped as materialized (
      select transaction_id
      from reconciliation_case
      where closed_at is null and transaction_id is not null and kind <> all(${[...leavesGoing]}::text[])
      limit ${SUMMED_MAX}::int),
    told_breakers as materialized (${openNow})
    select id, created_at, reason, state, account_id, provider, currency, amount_minor
    from (
      select
        id,
        created_at,
        waiting_reason(
          oldest.state,
          oldest.confirmation,
          oldest.next_step,
          oldest.waiting,
          oldest.action is not null,
          case when oldest.id in (select transaction_id from stopped) then array['stopped'] else array[]::text[] end,
          exists (select from told_breakers breaker where ${stops('oldest')})) as reason,
        state,
        account_id,
        provider,
        currency,
        amount_minor
      from oldest) judged
    where reason is not null)`;

/** Sums the oldest unfinished recharges by what they wait for. */
export const waitingSums = (run: Run): Promise<WaitingSum[]> =>
  run<WaitingSum>(Prisma.sql`
    select reason, currency, count(*)::int as count, sum(amount_minor)::bigint as "amountMinor"
    from ${oldestWaiting} waiting
    group by reason, currency
    order by reason, currency`);
