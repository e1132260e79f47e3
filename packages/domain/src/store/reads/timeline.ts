import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { utc } from '../database/rows.js';
import { uuidsOf } from '../database/storable.js';

export type TimelineRow = Readonly<{
  at: Date;
  transactionId: string;
  kind: string;
  detail: Record<string, unknown>;
}>;

/** All that happened to a recharge and to its parts, from all tables, oldest first. `rank` and `n` order what happened at one time. */
export const timeline = (run: Run, ids: readonly string[]): Promise<TimelineRow[]> =>
  run<TimelineRow>(Prisma.sql`
    select at, transaction_id as "transactionId", kind, detail
    from (
      ${requests(uuidsOf(ids))}
      union all
      ${transitions(uuidsOf(ids))}
      union all
      ${providerCalls(uuidsOf(ids))}
      union all
      ${events(uuidsOf(ids))}
      union all
      ${postings(uuidsOf(ids))}
      union all
      ${cases(uuidsOf(ids))}
      union all
      ${operatorActions(uuidsOf(ids))}) happened
    order by at, rank, transaction_id, n`);

const requests = (ids: string[]): Prisma.Sql => Prisma.sql`
  select
    received_at as at,
    transaction_id,
    0 as rank,
    0::bigint as n,
    'request' as kind,
    jsonb_build_object('idempotencyKey', idempotency_key, 'correlationId', correlation_id) as detail
  from recharge_request
  where transaction_id = any(${ids}::uuid[])`;

const transitions = (ids: string[]): Prisma.Sql => Prisma.sql`
  select at, transaction_id, 2, seq, 'transition', jsonb_build_object(
    'seq', seq,
    'news', news,
    'verdict', verdict,
    'from', from_state,
    'to', to_state,
    'source', source,
    'reason', reason)
  from transition
  where transaction_id = any(${ids}::uuid[])`;

const providerCalls = (ids: string[]): Prisma.Sql => Prisma.sql`
  select
    started_at,
    transaction_id,
    case operation when 'submit' then 3 else 1 end,
    attempt,
    case operation when 'submit' then 'provider_call' else 'poll' end,
    jsonb_build_object(
      'operation', operation,
      'attempt', attempt,
      'outcome', coalesce(outcome, 'unanswered'),
      'providerCode', provider_code,
      'httpStatus', http_status,
      'endedAt', ${utc('ended_at')})
  from provider_call
  where transaction_id = any(${ids}::uuid[])`;

const events = (ids: string[]): Prisma.Sql => Prisma.sql`
  select stored_at, transaction_id, 1, 0, 'webhook', jsonb_build_object(
    'provider', provider,
    'eventId', event_id,
    'processedAt', ${utc('processed_at')},
    'verdict', verdict)
  from webhook_event
  where transaction_id = any(${ids}::uuid[])`;

const postings = (ids: string[]): Prisma.Sql => Prisma.sql`
  select entry.at, journal.transaction_id, 4, entry.id, 'posting', jsonb_build_object(
    'slot', journal.slot,
    'debit', entry.debit_account,
    'credit', entry.credit_account,
    'amount', entry.amount_minor,
    'currency', entry.currency)
  from ledger_entry entry
  join ledger_journal journal on journal.id = entry.journal_id
  where journal.transaction_id = any(${ids}::uuid[])`;

const cases = (ids: string[]): Prisma.Sql => Prisma.sql`
  select opened_at, transaction_id, 5, 0, 'case', jsonb_build_object(
    'caseId', id,
    'caseKind', kind,
    'closedAt', ${utc('closed_at')},
    'resolution', resolution)
  from reconciliation_case
  where transaction_id = any(${ids}::uuid[])`;

const operatorActions = (ids: string[]): Prisma.Sql => Prisma.sql`
  select at, transaction_id, 6, 0, 'operator', jsonb_build_object(
    'caseId', case_id,
    'verb', verb,
    'actor', actor,
    'role', role,
    'reason', reason)
  from operator_action
  where transaction_id = any(${ids}::uuid[])`;
