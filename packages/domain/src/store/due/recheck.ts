import type { NextStep } from '../../core/next-step.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid, storable } from '../database/storable.js';
import { type AnsweringAccount, pullForward } from './pull-forward.js';

/** Who wants the provider to be asked now, and why. `by` is the id of a key, or a person. */
export type RecheckAsk = Readonly<{ transactionId: string; by: string; reason: string }>;

/**
 * - `asking`: the recharge is due now.
 * - `nothing_under_way`: no order of it can be at the provider, or it is final.
 * - `too_soon`: it was asked for less than RECHECK_EVERY_MS ago.
 */
export type Rechecked = Readonly<{
  outcome: 'asking' | 'nothing_under_way' | 'too_soon' | 'unknown_recharge';
  /** The queue that gets the recharge, by provider and next step. Null: there is nothing to hint. */
  due: Readonly<{ provider: string; nextStep: NextStep }> | null;
}>;

type RecheckRow = Readonly<{
  provider: string;
  nextStep: NextStep | null;
  isUnderWay: boolean;
  isTaken: boolean;
}>;

/** The provider is asked about one recharge at most once within this time, however many people want it. */
export const RECHECK_EVERY_MS = 5_000;

/**
 * Makes a recharge due now whose order may be at the provider, so that the provider is asked. The asker itself leaves a
 * recharge alone whose call is still running.
 */
async function recheck(run: Run, { transactionId, by, reason }: RecheckAsk): Promise<Rechecked> {
  if (!isUuid(transactionId)) return { outcome: 'unknown_recharge', due: null };
  const [found] = await run<RecheckRow>(Prisma.sql`
    with
    known as materialized (
      select id, provider, next_step, state in ('SUBMITTED', 'PENDING_CONFIRMATION') and due_at is not null as is_under_way
      from recharge_transaction
      where id = ${transactionId}::uuid),
    filed_rechecks as (
      insert into recheck as earlier (transaction_id, asked_by, reason, at)
      select id, ${storable(by, 200)}, ${storable(reason, 500)}, now()
      from known
      where is_under_way
      on conflict (transaction_id) do update
      set asked_by = excluded.asked_by, reason = excluded.reason, at = excluded.at
      where earlier.at <= now() - ${RECHECK_EVERY_MS}::float8 * interval '1 ms'
      returning transaction_id),
    locked_recharges as materialized (
      select recharge.id
      from recharge_transaction recharge
      where recharge.id in (select transaction_id from filed_rechecks) and recharge.due_at > now()
      for update skip locked),
    pulled_recharges as (
      update recharge_transaction recharge
      set due_at = now()
      from locked_recharges locked
      where recharge.id = locked.id
      returning recharge.id)
    select
      provider,
      next_step as "nextStep",
      is_under_way as "isUnderWay",
      exists (select from filed_rechecks) as "isTaken",
      (select count(*) from pulled_recharges) as pulled
    from known`);
  if (!found) return { outcome: 'unknown_recharge', due: null };
  const { provider, nextStep, isUnderWay, isTaken } = found;
  if (!isUnderWay || nextStep === null) return { outcome: 'nothing_under_way', due: null };
  return isTaken ? { outcome: 'asking', due: { provider, nextStep } } : { outcome: 'too_soon', due: null };
}

/** What makes recharges due before their time. */
export const openRecheck = (run: Run) => ({
  pullForward: (of: AnsweringAccount): Promise<number> => pullForward(run, of),
  recheck: (ask: RecheckAsk): Promise<Rechecked> => recheck(run, ask),
});
