import { textColumnsOf } from '../../core/request-texts.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { utc } from '../database/rows.js';
import { uuidsOf } from '../database/storable.js';
import { EVIDENCE_FORMAT, type EvidencePack } from './pack.js';
import { packedChain } from './read-chain.js';

// A recharge has one delivery. Refunds that failed are not bounded.
const REFUNDS_MAX = 50;

/** Everything about one recharge as of one moment, in one read. Null if there is no such recharge. */
export async function readEvidence(read: Run, id: string): Promise<EvidencePack | null> {
  const [uuid] = uuidsOf([id]);
  if (uuid === undefined) return null;
  const [row] = await read<{ pack: EvidencePack }>(Prisma.sql`
    with
    taken as materialized (${takenParts(uuid)}),
    covered as materialized (${coveredRows}),
    links as materialized (${packedChain})
    select jsonb_build_object(
      'format', ${EVIDENCE_FORMAT}::text,
      'madeAt', ${utc('now()')},
      'transactionId', recharge.id,
      'recharge', ${recharge},
      'request', ${request},
      'parts', ${parts},
      'transitions', ${transitions},
      'calls', ${calls},
      'webhooks', ${webhooks},
      'postings', ${postings},
      'sums', ${sums},
      'cases', ${cases},
      'actions', ${actions},
      'chain', jsonb_build_object('head', ${head}, 'links', ${links}, 'unsealed', ${unsealed})) as pack
    from recharge_transaction recharge
    join recharge_request request on request.transaction_id = recharge.id
    where recharge.id = ${uuid}::uuid`);
  return row?.pack ?? null;
}

const takenParts = (id: string): Prisma.Sql => Prisma.sql`
  select ${id}::uuid as id, false as is_part
  union all
  select id, true
  from recharge_transaction
  where collected_by = ${id}::uuid
  union all
  (select id, true
  from recharge_transaction
  where refund_of = ${id}::uuid
  order by id desc
  limit ${REFUNDS_MAX}::int)`;

/** The rows of the pack that the chain covers. */
const coveredRows = Prisma.sql`
  select 'transition' as source, step.transaction_id || ' ' || step.seq as row_key
  from taken
  join transition step on step.transaction_id = taken.id
  union all
  select 'journal', journal.id::text
  from taken
  join ledger_journal journal on journal.transaction_id = taken.id
  union all
  select 'case', one.id::text
  from taken
  join reconciliation_case one on one.transaction_id = taken.id
  union all
  select 'action', action.id::text
  from taken
  join operator_action action on action.transaction_id = taken.id`;

const list = (item: Prisma.Sql, order: Prisma.Sql, from: Prisma.Sql): Prisma.Sql =>
  Prisma.sql`(select coalesce(jsonb_agg(${item} order by ${order}), '[]') ${from})`;

const recharge = Prisma.sql`jsonb_build_object(
  'transactionId', recharge.id,
  'kind', case recharge.kind when 'recall' then 'refund' else recharge.kind end,
  'direction', case when recharge.kind in ('collect', 'recall') then 'in' else 'out' end,
  'funding', recharge.funding,
  'state', recharge.state,
  'clientId', recharge.client_id,
  'accountId', recharge.account_id,
  'amount', recharge.amount_minor,
  'currency', recharge.currency,
  'paymentMethod', recharge.payment_method,
  'provider', recharge.provider,
  'providerAccount', recharge.provider_account,
  'payee', recharge.payee,
  'providerOrderId', recharge.provider_order_id,
  'externalReference', recharge.external_reference,
  'orderReference', recharge.order_reference,
  'collectedBy', recharge.collected_by,
  'refundOf', recharge.refund_of,
  'failure', case when recharge.failure_code is not null then jsonb_build_object(
    'code', recharge.failure_code,
    'message', recharge.failure_message) end,
  'createdAt', ${utc('recharge.created_at')},
  'submittedAt', ${utc('recharge.submitted_at')},
  'succeededAt', ${utc('recharge.succeeded_at')},
  'failedAt', ${utc('recharge.failed_at')},
  'canceledAt', ${utc('recharge.canceled_at')})`;

const requestTexts = Prisma.raw(
  [
    ...textColumnsOf('recharge_request').map(({ field, column }) => `'${field}', request.${column},`),
    ...textColumnsOf('recharge_transaction')
      .filter(({ isShown }) => !isShown)
      .map(({ field, column }) => `'${field}', recharge.${column},`),
  ].join(' '),
);

const request = Prisma.sql`jsonb_build_object(
  'transactionId', request.transaction_id,
  'idempotencyKey', request.idempotency_key,
  'fingerprint', request.fingerprint,
  'correlationId', request.correlation_id,
  'metadata', request.metadata,
  ${requestTexts}
  'reason', request.reason,
  'requestedAt', ${utc('request.requested_at')},
  'receivedAt', ${utc('request.received_at')})`;

const parts = Prisma.sql`(
  select coalesce(jsonb_agg(jsonb_build_object('recharge', ${recharge}, 'request', ${request}) order by part.id), '[]')
  from taken part
  join recharge_transaction recharge on recharge.id = part.id
  join recharge_request request on request.transaction_id = part.id
  where part.is_part)`;

const transitions = list(
  Prisma.sql`jsonb_build_object(
    'transactionId', step.transaction_id,
    'seq', step.seq,
    'news', step.news,
    'verdict', step.verdict,
    'from', step.from_state,
    'to', step.to_state,
    'source', step.source,
    'reason', step.reason,
    'at', ${utc('step.at')})`,
  Prisma.sql`step.transaction_id, step.seq`,
  Prisma.sql`from taken join transition step on step.transaction_id = taken.id`,
);

const calls = list(
  Prisma.sql`jsonb_build_object(
    'transactionId', call.transaction_id,
    'callId', call.id,
    'operation', call.operation,
    'attempt', call.attempt,
    'outcome', coalesce(call.outcome, 'unanswered'),
    'providerCode', call.provider_code,
    'httpStatus', call.http_status,
    'startedAt', ${utc('call.started_at')},
    'endedAt', ${utc('call.ended_at')},
    'evidence', call.evidence)`,
  Prisma.sql`call.started_at, call.id`,
  Prisma.sql`from taken join provider_call call on call.transaction_id = taken.id`,
);

const webhooks = list(
  Prisma.sql`jsonb_build_object(
    'transactionId', event.transaction_id,
    'provider', event.provider,
    'eventId', event.event_id,
    'bodySha256', encode(event.body_hash, 'hex'),
    'storedAt', ${utc('event.stored_at')},
    'processedAt', ${utc('event.processed_at')},
    'verdict', event.verdict)`,
  Prisma.sql`event.stored_at, event.id`,
  Prisma.sql`from taken join webhook_event event on event.transaction_id = taken.id`,
);

const entries = Prisma.sql`
  from taken
  join ledger_journal journal on journal.transaction_id = taken.id
  join ledger_entry entry on entry.journal_id = journal.id`;

const postings = list(
  Prisma.sql`jsonb_build_object(
    'transactionId', journal.transaction_id,
    'entryId', entry.id,
    'journalId', journal.id,
    'slot', journal.slot,
    'debit', entry.debit_account,
    'credit', entry.credit_account,
    'amount', entry.amount_minor,
    'currency', entry.currency,
    'at', ${utc('entry.at')})`,
  Prisma.sql`entry.id`,
  entries,
);

const sums = Prisma.sql`(
  select coalesce(jsonb_agg(jsonb_build_object('account', account, 'currency', currency, 'sum', total)
    order by account, currency), '[]')
  from (
    select side.account, entry.currency, sum(side.amount) as total
    ${entries}
    cross join lateral (values
      (entry.debit_account, -entry.amount_minor),
      (entry.credit_account, entry.amount_minor)) side(account, amount)
    group by side.account, entry.currency) summed)`;

const cases = list(
  Prisma.sql`jsonb_build_object(
    'transactionId', one.transaction_id,
    'caseId', one.id,
    'kind', one.kind,
    'amount', one.amount_minor,
    'currency', one.currency,
    'openedAt', ${utc('one.opened_at')},
    'closedAt', ${utc('one.closed_at')},
    'resolution', one.resolution,
    'verb', one.verb,
    'actor', one.actor,
    'reason', one.reason,
    'detail', one.detail,
    'evidence', one.evidence)`,
  Prisma.sql`one.id`,
  Prisma.sql`from taken join reconciliation_case one on one.transaction_id = taken.id`,
);

const actions = list(
  Prisma.sql`jsonb_build_object(
    'transactionId', action.transaction_id,
    'actionId', action.id,
    'caseId', action.case_id,
    'verb', action.verb,
    'actor', action.actor,
    'role', action.role,
    'subject', action.subject,
    'reason', action.reason,
    'evidence', action.evidence,
    'at', ${utc('action.at')})`,
  Prisma.sql`action.id`,
  Prisma.sql`from taken join operator_action action on action.transaction_id = taken.id`,
);

const head = Prisma.sql`(
  select jsonb_build_object('seq', link.seq, 'hash', encode(link.hash, 'hex'), 'sealedAt', ${utc('link.sealed_at')})
  from (select * from chain_link order by seq desc limit 1) link)`;

const links = list(
  Prisma.sql`jsonb_build_object(
    'seq', links.seq,
    'source', links.source,
    'rowKey', links.row_key,
    'body', links.body,
    'before', links.before,
    'hash', links.hash,
    'sealedAt', ${utc('links.sealed_at')})`,
  Prisma.sql`links.seq`,
  Prisma.sql`from links`,
);

const unsealed = list(
  Prisma.sql`jsonb_build_object('source', covered.source, 'rowKey', covered.row_key)`,
  Prisma.sql`covered.source, covered.row_key`,
  Prisma.sql`
    from covered
    where not exists (select from links where links.source = covered.source and links.row_key = covered.row_key)`,
);
