import { Prisma } from '../../generated/client.js';
import { callColumns } from './decisions/plan-row.js';

export const insertedTransitions = Prisma.sql`
  inserted_transitions as (
    insert into transition (
      transaction_id,
      seq,
      news,
      verdict,
      from_state,
      to_state,
      source,
      reason)
    select
      id,
      seq,
      news,
      verdict,
      "from",
      "to",
      source,
      reason
    from moved_recharges
    where filed)`;

export const writtenCalls = Prisma.sql`
  written_calls as (
    insert into provider_call (
      id,
      transaction_id,
      attempt,
      operation,
      outcome,
      provider_code,
      http_status,
      started_at,
      ended_at,
      evidence)
    select
      call.id,
      recharge.id,
      call.attempt,
      call.operation,
      call.outcome,
      call."providerCode",
      call."httpStatus",
      coalesce(call."startedAt", clock_timestamp()),
      call."endedAt",
      call.evidence
    from moved_recharges recharge, jsonb_to_recordset(recharge.calls) as call(${callColumns.list})
    -- The answer to a submit completes the row that its intent was opened with.
    on conflict (id) do update set
      outcome = excluded.outcome,
      provider_code = excluded.provider_code,
      http_status = excluded.http_status,
      ended_at = excluded.ended_at,
      evidence = excluded.evidence)`;
