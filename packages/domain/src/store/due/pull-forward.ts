import type { NextStep } from '../../core/next-step.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

// 20,000 rows a step at most: each batch is one short statement, and what is beyond them keeps its own due time.
const BATCH_MAX = 500;
const BATCHES_MAX = 40;

type PulledBatch = Readonly<{ seen: number; pulled: number; lastDueAt: Date | null }>;

/**
 * A provider that was silent answers again: makes those of its recharges due now whose last call heard nothing, or whose
 * call was not made because the provider was known to be down. Their gaps grew with an outage that is over. Recharges
 * that the provider has spoken of keep their times, and so do those that it asked to come later (429).
 * @returns how many are due now that were not
 */
export async function pullForward(run: Run, provider: string): Promise<number> {
  const pulled = await Promise.all([pullStep(run, provider, 'submit'), pullStep(run, provider, 'ask')]);
  return pulled[0] + pulled[1];
}

async function pullStep(run: Run, provider: string, step: NextStep): Promise<number> {
  let pulled = 0;
  let after: Date | null = null;
  for (let batch = 0; batch < BATCHES_MAX; batch++) {
    const [found]: PulledBatch[] = await run<PulledBatch>(pullBatch(provider, step, after));
    pulled += found!.pulled;
    after = found!.lastDueAt;
    if (found!.seen < BATCH_MAX) break;
  }
  return pulled;
}

const pullBatch = (provider: string, step: NextStep, after: Date | null): Prisma.Sql => Prisma.sql`
  with waiting as materialized (
    select id, next_step, asks, due_at from recharge_transaction
    where provider = ${provider} and next_step = ${step} and due_at > coalesce(${after}::timestamptz, now())
    order by due_at limit ${BATCH_MAX}::int),
  unheard as materialized (
    select waiting.id from waiting left join lateral (
      select operation, outcome, http_status from provider_call
      where provider_call.transaction_id = waiting.id order by started_at desc, provider_call.id desc limit 1) last on true
    where (waiting.next_step = 'submit' or waiting.asks > 0 or last.outcome in ('unknown', 'not_executed'))
      and last.http_status is distinct from 429
      and not coalesce(last.operation = 'query' and last.outcome in ('found', 'absent', 'several'), false)),
  locked as materialized (
    select t.id from recharge_transaction t where t.id in (select id from unheard) and t.due_at > now()
    order by t.id for update skip locked),
  pulled as (
    update recharge_transaction t set due_at = now(), asks = 0 from locked where t.id = locked.id returning t.id)
  select (select count(*)::int from waiting) as seen, (select count(*)::int from pulled) as pulled,
    (select max(due_at) from waiting) as "lastDueAt"`;
