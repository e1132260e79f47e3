/**
 * One recharge in four statements, each with its own commit: created, claimed, answered, settled. It uses the tables of
 * prisma/schema.prisma with their indexes and triggers, and writes the same rows as the product, under the same
 * conditions on the state. The product also stores the webhook event in a fifth commit, works in batches, and does
 * everything else.
 *
 * Variables have the form of pgbench. `sets` means that the columns of the result become variables of the next
 * statements.
 */
export function statements({ hasUuid7 }) {
  const id = hasUuid7 ? 'uuidv7()' : 'gen_random_uuid()';
  return [
    { sql: create(id), sets: true },
    { sql: claim(id), sets: true },
    { sql: answer, sets: false },
    { sql: settle(id), sets: false },
  ];
}

const CLIENT = `'0191e4a0-0000-7000-8000-000000000001'::uuid`;

// pgbench replaces variables inside quotes too, so the colon in account names is written as \x3a.
const PROVIDER = `E'provider\\x3asandbox\\x3aclearing'`;
const WALLET = `E'wallet\\x3a' || account_id || E'\\x3aavailable'`;

const create = (id) => `
  with request as (
    insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, correlation_id)
    values (${id}, ${CLIENT}, 'bench-' || gen_random_uuid(), repeat('0', 64), '{}', gen_random_uuid())
    on conflict (client_id, idempotency_key) do nothing
    returning transaction_id, client_id)
  insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
    provider, next_step, due_at)
  select transaction_id, client_id, 'acct-' || lpad(:account::text, 5, '0'), 'collect', 'CREATED', :amount::bigint,
    'USD', 'sandbox', 'sandbox', 'submit', now() + interval '2 s'
  from request
  returning id`;

const claim = (id) => `
  with moved as (
    update recharge_transaction set state = 'SUBMITTED', version = version + 1, seq = seq + 1, attempt = attempt + 1,
      next_step = 'ask', due_at = now() + interval '7 s', submitted_at = now(), updated_at = now()
    where id = :id::uuid and state = 'CREATED'
    returning id, seq, attempt),
  filed as (
    insert into transition (transaction_id, seq, news, verdict, from_state, to_state, source, reason)
    select id, seq, 'submit', 'moved', 'CREATED', 'SUBMITTED', 'submission', 'to be sent to sandbox' from moved)
  insert into provider_call (id, transaction_id, attempt, operation, started_at)
  select ${id}, id, attempt, 'submit', now() from moved
  returning id as call`;

const answer = `
  with moved as (
    update recharge_transaction set state = 'PENDING_CONFIRMATION', confirmation = 'acknowledged',
      version = version + 1, seq = seq + 1, due_at = now() + interval '2 s', updated_at = now(),
      provider_order_id = 'sbx_' || replace(:id::text, '-', '')
    where id = :id::uuid and state = 'SUBMITTED'
    returning id, seq),
  filed as (
    insert into transition (transaction_id, seq, news, verdict, from_state, to_state, source, reason)
    select id, seq, 'accepted', 'moved', 'SUBMITTED', 'PENDING_CONFIRMATION', 'submission', 'sandbox took the order'
    from moved)
  update provider_call set outcome = 'accepted', http_status = 201, ended_at = now() where id = :call::uuid`;

const settle = (id) => `
  with event as (
    insert into webhook_event (id, provider, event_id, raw_body, body_hash, transaction_id, correlation_id, processed_at,
      verdict)
    values (${id}, 'sandbox', 'msg_' || replace(:id::text, '-', '') || '_settled', decode(repeat('20', 360), 'hex'),
      decode(repeat('00', 32), 'hex'), :id::uuid, gen_random_uuid(), now(), 'moved')
    on conflict (provider, event_id) do nothing
    returning id),
  moved as (
    update recharge_transaction t set state = 'SUCCEEDED', version = version + 1, seq = seq + 1, next_step = null,
      due_at = null, succeeded_at = now(), updated_at = now()
    from event where t.id = :id::uuid and t.state = 'PENDING_CONFIRMATION'
    returning t.id, t.seq, t.account_id, t.amount_minor, t.currency),
  filed as (
    insert into transition (transaction_id, seq, news, verdict, from_state, to_state, source, reason)
    select id, seq, 'settled', 'moved', 'PENDING_CONFIRMATION', 'SUCCEEDED', 'webhook',
      'sandbox event msg_' || replace(:id::text, '-', '') || '_settled: settled' from moved),
  journal as (
    insert into ledger_journal (id, transaction_id, slot) select ${id}, id, 'collect' from moved
    returning id, transaction_id),
  wallet as (
    insert into ledger_account (name, currency, balance_minor)
    select ${WALLET}, currency, amount_minor from moved
    on conflict (name, currency) do update set balance_minor = ledger_account.balance_minor + excluded.balance_minor
    returning name, currency, balance_minor),
  charted as (
    insert into ledger_account (name, currency) select ${PROVIDER}, currency from moved
    on conflict (name, currency) do nothing)
  insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
    credit_balance_minor)
  select j.id, j.transaction_id, ${PROVIDER}, w.name, m.amount_minor, m.currency, w.balance_minor
  from moved m, journal j, wallet w`;
