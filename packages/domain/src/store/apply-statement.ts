import { kinds } from '../core/postings.js';
import { Prisma } from '../generated/client.js';

/**
 * Rows are locked in id order, then wallets in name order: batches that cross then wait instead of deadlocking.
 * Entries are numbered after their wallets are locked, so the running balances of a wallet follow its entry ids.
 * A row may have been waited for longer than the time that its next step is given, so that time begins when it was had:
 * now() is the statement's beginning.
 * A row whose version is no longer the one decided on is left alone, and with it everything that hangs on it. So is one
 * of a kind that this release does not know: a claim is decided before its row is read.
 * Each part reads from the one before and carries its columns along: joins of one batch with itself would cost its
 * square (64 at once, a settlement took 500 us of the database's time that way, and 230 us this way).
 */
export const writeStatement = (plans: string): Prisma.Sql => Prisma.sql`
  with ${lockedRows(plans)}, ${movedRows}, ${history}, ${ledger}, ${eventsAndCases}
  select id, "createdAt", case when claimed then (
    select jsonb_build_object('kind', kind, 'accountId', account_id, 'amountMinor', amount_minor::text,
      'currency', currency, 'provider', provider, 'providerOrderId', provider_order_id,
      'paymentMethod', payment_method, 'metadata', q.metadata, 'idempotencyKey', q.idempotency_key,
      'correlationId', q.correlation_id)
    from recharge_request q where q.transaction_id = id) end as claimed
  from moved`;

const lockedRows = (plans: string): Prisma.Sql => Prisma.sql`
  held as materialized (
    select p.* from jsonb_to_recordset(${plans}::jsonb) as p(
      id uuid, version int, provider text, verdict text, news text, "from" text, "to" text, source text,
      reason text, filed boolean,
      claimed boolean, confirmation text, "nextStep" text, "dueInMs" bigint, polled boolean, "orderId" text,
      "failureCode" text, "failureMessage" text, calls jsonb, "journalId" uuid, slot text, postings jsonb,
      "caseId" uuid, "caseKind" text, "caseDetail" jsonb, "eventId" uuid)
    join recharge_transaction t on t.id = p.id and t.version = p.version
      and t.provider = coalesce(p.provider, t.provider) and t.kind = any(${[...kinds]}::text[])
    order by p.id for update of t)`;

const movedRows = Prisma.sql`
  moved as (
    update recharge_transaction t set
      state = p."to", version = t.version + 1, seq = t.seq + p.filed::int, attempt = t.attempt + p.claimed::int,
      confirmation = p.confirmation, next_step = p."nextStep",
      due_at = clock_timestamp() + p."dueInMs" * interval '1 ms',
      asks = case when p.polled then t.asks + 1 else 0 end,
      provider_order_id = coalesce(t.provider_order_id, p."orderId"),
      failure_code = coalesce(p."failureCode", t.failure_code),
      failure_message = coalesce(p."failureMessage", t.failure_message),
      submitted_at = case when p."to" = 'SUBMITTED' then coalesce(t.submitted_at, now()) else t.submitted_at end,
      succeeded_at = case when p."to" = 'SUCCEEDED' then coalesce(t.succeeded_at, now()) else t.succeeded_at end,
      failed_at = case when p."to" = 'FAILED' then coalesce(t.failed_at, now()) else t.failed_at end,
      canceled_at = case when p."to" = 'CANCELED' then coalesce(t.canceled_at, now()) else t.canceled_at end,
      updated_at = case when p.verdict = 'moved' or p.claimed then now() else t.updated_at end
    from held p where t.id = p.id and t.version = p.version
    returning t.id, t.seq, t.created_at as "createdAt", t.kind, t.account_id, t.amount_minor, t.currency, t.provider,
      t.provider_order_id, t.payment_method, p.claimed, p.verdict, p.news, p."from", p."to", p.source, p.reason,
      p.filed, p.calls, p."journalId", p.slot, p.postings, p."caseId", p."caseKind", p."caseDetail", p."eventId")`;

const history = Prisma.sql`
  filed as (
    insert into transition (transaction_id, seq, news, verdict, from_state, to_state, source, reason)
    select id, seq, news, verdict, "from", "to", source, reason from moved where filed),
  called as (
    insert into provider_call (id, transaction_id, attempt, operation, outcome, provider_code, http_status, started_at,
      ended_at)
    select c.id, m.id, c.attempt, c.operation, c.outcome, c."providerCode", c."httpStatus",
      coalesce(c."startedAt", clock_timestamp()), c."endedAt"
    from moved m, jsonb_to_recordset(m.calls) as c(
      id uuid, attempt int, operation text, outcome text, "providerCode" text, "httpStatus" int,
      "startedAt" timestamptz, "endedAt" timestamptz)
    on conflict (id) do update set outcome = excluded.outcome, provider_code = excluded.provider_code,
      http_status = excluded.http_status, ended_at = excluded.ended_at)`;

const ledger = Prisma.sql`
  journals as (
    insert into ledger_journal (id, transaction_id, slot)
    select "journalId", id, slot from moved where slot is not null),
  postings as materialized (
    select row_number() over (order by m.id, e.ord) as n, m."journalId" as journal_id, m.id as transaction_id,
      e.debit, e.credit, e."amountMinor" as amount, e.currency
    from moved m, rows from (jsonb_to_recordset(m.postings)
      as (debit text, credit text, "amountMinor" bigint, currency text))
      with ordinality as e(debit, credit, "amountMinor", currency, ord)
    where m.slot is not null),
  sides as materialized (
    select *, coalesce(sum(delta) over (partition by account, currency order by n
      rows between 1 following and unbounded following), 0) as later
    from (
      select *, 'debit' as side, debit as account, -amount as delta from postings
      union all select *, 'credit', credit, amount from postings) side),
  wallets as (
    insert into ledger_account (name, currency, balance_minor)
    select account, currency, sum(delta) from sides where account like 'wallet:%' group by 1, 2 order by 1, 2
    on conflict (name, currency) do update set balance_minor = ledger_account.balance_minor + excluded.balance_minor
    returning name, currency, balance_minor),
  charted as (
    insert into ledger_account (name, currency)
    select distinct account, currency from sides where account not like 'wallet:%' order by 1, 2
    on conflict (name, currency) do nothing),
  entered as (
    insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
      debit_balance_minor, credit_balance_minor)
    select s.journal_id, s.transaction_id, s.debit, s.credit, s.amount, s.currency,
      max((w.balances ->> (s.account || ' ' || s.currency))::bigint - s.later) filter (where s.side = 'debit'),
      max((w.balances ->> (s.account || ' ' || s.currency))::bigint - s.later) filter (where s.side = 'credit')
    from sides s, (select jsonb_object_agg(name || ' ' || currency, balance_minor) as balances from wallets) w
    group by s.n, s.journal_id, s.transaction_id, s.debit, s.credit, s.amount, s.currency
    order by s.n)`;

const eventsAndCases = Prisma.sql`
  processed as (
    update webhook_event e set processed_at = now(), due_at = null, verdict = m.verdict, transaction_id = m.id
    from moved m where e.id = m."eventId"),
  opened as (
    insert into reconciliation_case (id, transaction_id, subject, kind, detail)
    select "caseId", id, id::text, "caseKind", "caseDetail" from moved where "caseKind" is not null
    on conflict (subject, kind) where closed_at is null do nothing)`;
