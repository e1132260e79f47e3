import { type NextStep, nextSteps } from '../../core/next-step.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

// At most 20,000 rows per step, in short statements of one batch each. Recharges beyond that keep their due times. A
// row costs some 34 buffers, so a statement stays below 2,000 buffers.
const BATCH_MAX = 40;
const BATCHES_MAX = 500;

type PulledBatch = Readonly<{ seen: number; pulled: number; lastDueAt: Date | null }>;

/** One of our accounts at a provider. */
export type AnsweringAccount = Readonly<{ provider: string; providerAccount: string }>;

/**
 * Makes recharges of a provider account due now. Called once the provider answers again after an outage. It covers recharges
 * whose last call had no answer, and those whose call was not made because the provider was down. Their gaps grew
 * during the outage. A recharge about which the provider has answered keeps its due time. So does one that the provider
 * wants later (429).
 * @returns how many recharges became due
 */
export async function pullForward(run: Run, of: AnsweringAccount): Promise<number> {
  const pulled = await Promise.all(nextSteps.map((step) => pullStep(run, of, step)));
  return pulled.reduce((sum, count) => sum + count, 0);
}

async function pullStep(run: Run, of: AnsweringAccount, step: NextStep): Promise<number> {
  let pulled = 0;
  let after: Date | null = null;
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const [found]: PulledBatch[] = await run<PulledBatch>(pullBatch(of, step, after));
    pulled += found!.pulled;
    after = found!.lastDueAt;
    if (found!.seen < BATCH_MAX) break;
  }
  return pulled;
}

const pullBatch = (
  { provider, providerAccount }: AnsweringAccount,
  step: NextStep,
  after: Date | null,
): Prisma.Sql => Prisma.sql`
  with
  waiting as materialized (
    select id, next_step, asks, due_at
    from recharge_transaction
    where provider = ${provider} and provider_account = ${providerAccount} and next_step = ${step} and due_at > coalesce(${after}::timestamptz, now())
    order by due_at
    -- The next batch begins behind the last due time, so this one takes all recharges that share it.
    fetch first (${BATCH_MAX}::int) rows with ties),
  unanswered as materialized (
    select waiting.id
    from waiting
    left join lateral (
      select call.operation, call.outcome, call.http_status
      from provider_call call
      where call.transaction_id = waiting.id
      order by call.started_at desc, call.id desc
      limit 1) last on true
    where (waiting.next_step = 'submit' or waiting.asks > 0 or last.outcome in ('unknown', 'not_executed'))
      and last.http_status is distinct from 429
      and not coalesce(
        last.operation = 'query' and last.outcome in ('found', 'absent', 'several')
        or last.operation = 'cancel' and last.outcome in ('pending', 'still_payable'),
        false)),
  locked_recharges as materialized (
    select recharge.id
    from recharge_transaction recharge
    where recharge.id in (select id from unanswered) and recharge.due_at > now()
    order by recharge.id
    for update skip locked),
  pulled_recharges as (
    update recharge_transaction recharge
    set due_at = now(), asks = 0
    from locked_recharges locked
    where recharge.id = locked.id
    returning recharge.id)
  select
    (select count(*)::int from waiting) as seen,
    (select count(*)::int from pulled_recharges) as pulled,
    (select max(due_at) from waiting) as "lastDueAt"`;
