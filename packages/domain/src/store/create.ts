import { holdOf } from '../core/postings.js';
import { Prisma } from '../generated/client.js';
import { coalesce } from './coalesce.js';
import type { Run } from './database.js';
import { fingerprintOf } from './fingerprint.js';
import type { NewRecharge } from './new-recharge.js';
import { type RechargeView, viewColumns } from './view.js';

export type CreateProblem = 'key_used_with_other_body' | 'insufficient_balance' | 'above_ceiling';

export type Created =
  | Readonly<{ ok: true; replayed: boolean; recharge: RechargeView }>
  | Readonly<{ ok: false; problem: CreateProblem }>;

type Asked = NewRecharge & { fingerprint: string };
type Born = { id: string; createdAt: Date };
type Existing = RechargeView & { idempotencyKey: string; fingerprint: string };

/** Stores requests with their transactions; of requests with one key, whoever comes first. */
export function creator(run: Run, options: { hintLimitMs: number; newId: () => string }) {
  const store = (statement: (asks: readonly Asked[]) => Prisma.Sql) => (asks: readonly Asked[]) =>
    storeOrFind(run, asks, statement);
  // Two halves of 64 callers take turns: with all of them in one batch the process idled while that was stored.
  const limits = { batchMax: 32, inFlightMax: 2 };
  const collect = coalesce<Asked, Created>(
    store((asks) => insertStatement(asks, options.hintLimitMs)),
    limits,
  );
  const deliver = coalesce<Asked, Created>(
    store((asks) => insertWithHolds(asks, options)),
    limits,
  );
  return (ask: NewRecharge): Promise<Created> => {
    const asked = { ...ask, fingerprint: fingerprintOf(ask) };
    return ask.kind === 'deliver' ? deliver(asked) : collect(asked);
  };
}

async function storeOrFind(
  run: Run,
  asks: readonly Asked[],
  statement: (asks: readonly Asked[]) => Prisma.Sql,
): Promise<Created[]> {
  const born = await run<Born>(statement(asks));
  const bornAt = new Map(born.map((row) => [row.id, row.createdAt]));
  const late = asks.filter((ask) => !bornAt.has(ask.id));
  const existing = late.length > 0 ? await findByKey(run, late) : new Map<string, Existing>();
  const refused = late.filter((ask) => !existing.has(keyOf(ask)));
  // A repeated key that was not visible yet counted as spent, and may have crowded these out of the balance.
  const wasCrowded = refused.length > 0 && refused.length < late.length;
  const again = wasCrowded ? await storeOrFind(run, refused, statement) : [];
  return asks.map((ask) => {
    const createdAt = bornAt.get(ask.id);
    if (createdAt) return { ok: true, replayed: false, recharge: newView(ask, createdAt) };
    const first = existing.get(keyOf(ask));
    if (!first) return again[refused.indexOf(ask)] ?? { ok: false, problem: 'insufficient_balance' };
    const { idempotencyKey, fingerprint, ...recharge } = first;
    if (fingerprint !== ask.fingerprint) return { ok: false, problem: 'key_used_with_other_body' };
    return { ok: true, replayed: true, recharge };
  });
}

/** The one who comes second reads after its own statement: that one's snapshot is older than the rival's commit. */
async function findByKey(run: Run, asks: readonly Asked[]): Promise<Map<string, Existing>> {
  const keys = JSON.stringify(asks.map((ask) => ({ client: ask.clientId, key: ask.idempotencyKey })));
  const rows = await run<Existing>(Prisma.sql`
    select q.idempotency_key as "idempotencyKey", q.fingerprint, ${Prisma.raw(viewColumns)}
    from (select distinct client, key from jsonb_to_recordset(${keys}::jsonb) as a(client uuid, key text)) asked
    join recharge_request q on q.client_id = asked.client and q.idempotency_key = asked.key
    join recharge_transaction t on t.id = q.transaction_id`);
  return new Map(rows.map((row) => [keyOf(row), row]));
}

const keyOf = (of: { clientId: string; idempotencyKey: string }): string =>
  `${of.clientId} ${of.idempotencyKey}`;

const askedRows = (asks: readonly Asked[]): Prisma.Sql => Prisma.sql`
  asked as materialized (
    select * from jsonb_to_recordset(${asJson(asks)}::jsonb) as a(
      id uuid, "clientId" uuid, "idempotencyKey" text, fingerprint text, "accountId" text, kind text,
      "amountMinor" bigint, currency text, "paymentMethod" text, provider text, "orderReference" text,
      "productType" text, "planId" text, metadata jsonb, "requestedAt" timestamptz, "correlationId" text,
      "holdJournalId" uuid, debit text, credit text))`;

/** Inserted in key order: two batches that share keys then wait for each other instead of deadlocking. */
const insertRows = (from: string, hintLimitMs: number): Prisma.Sql => Prisma.sql`
  requests as (
    insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata, product_type,
      plan_id, requested_at, correlation_id)
    select id, "clientId", "idempotencyKey", fingerprint, metadata, "productType", "planId", "requestedAt",
      "correlationId"
    from ${Prisma.raw(from)} order by "clientId", "idempotencyKey"
    on conflict (client_id, idempotency_key) do nothing
    returning transaction_id),
  born as (
    insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
      provider, order_reference, next_step, due_at)
    select id, "clientId", "accountId", kind, 'CREATED', "amountMinor", currency, "paymentMethod", provider,
      "orderReference", 'submit', now() + ${hintLimitMs}::int * interval '1 ms'
    from asked join requests on requests.transaction_id = asked.id
    returning id, created_at as "createdAt")`;

const insertStatement = (asks: readonly Asked[], hintLimitMs: number): Prisma.Sql =>
  Prisma.sql`with ${askedRows(asks)}, ${insertRows('asked', hintLimitMs)} select id, "createdAt" from born`;

/**
 * Purses and their frozen parts are locked by name, as settlements lock them; then each takes what it needs in the order
 * of ids, if that is there, and leaves it to those behind it if not.
 * The names are a constant: of a row that changed while its lock was waited for Postgres judges the condition again, and
 * finds no match in a part of the statement, so that the purse seemed to be gone and its owner poor.
 */
const coveredRows = (names: readonly string[]): Prisma.Sql => Prisma.sql`
    purses as materialized (
      select w.name, w.currency, w.balance_minor from ledger_account w
      where w.name = any(${[...names]}::text[])
      order by w.name, w.currency for update),
    queued as materialized (
      select a.id, a."amountMinor" as amount, p.name, p.currency, p.balance_minor,
        row_number() over (partition by p.name, p.currency order by a.id) as place
      from asked a join purses p on p.name = a.debit and p.currency = a.currency
      where not exists (select from recharge_request q
        where q.client_id = a."clientId" and q.idempotency_key = a."idempotencyKey")),
    served as (
      select id, name, currency, place, amount <= balance_minor as is_covered,
        balance_minor - case when amount <= balance_minor then amount else 0 end as rest
      from queued where place = 1
      union all
      select q.id, q.name, q.currency, q.place, q.amount <= s.rest,
        s.rest - case when q.amount <= s.rest then q.amount else 0 end
      from served s join queued q on q.name = s.name and q.currency = s.currency and q.place = s.place + 1),
    covered as materialized (select a.* from asked a join served s using (id) where s.is_covered)`;

const holdRows = Prisma.sql`
    holds as (
      insert into ledger_journal (id, transaction_id, slot)
      select a."holdJournalId", a.id, 'hold' from born join asked a using (id) returning id, transaction_id),
    drawn as (
      update ledger_account w set balance_minor = w.balance_minor - d.amount
      from (select a.debit, a.currency, sum(a."amountMinor") as amount from born join asked a using (id)
        group by 1, 2) d
      where w.name = d.debit and w.currency = d.currency
      returning w.name, w.currency, w.balance_minor),
    frozen as (
      insert into ledger_account (name, currency, balance_minor)
      select a.credit, a.currency, sum(a."amountMinor") from born join asked a using (id)
      group by 1, 2 order by 1, 2
      on conflict (name, currency) do update set balance_minor = ledger_account.balance_minor + excluded.balance_minor
      returning name, currency, balance_minor),
    entries as (
      insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency,
        debit_balance_minor, credit_balance_minor)
      select h.id, a.id, a.debit, a.credit, a."amountMinor", a.currency,
        d.balance_minor + coalesce(sum(a."amountMinor") over later, 0),
        f.balance_minor - coalesce(sum(a."amountMinor") over later, 0)
      from holds h join asked a on a.id = h.transaction_id
      join drawn d on d.name = a.debit and d.currency = a.currency
      join frozen f on f.name = a.credit and f.currency = a.currency
      window later as (partition by a.debit, a.currency order by a.id
        rows between 1 following and unbounded following)
      order by a.id)`;

/**
 * The same for recharges that are paid from a wallet: only those are stored that the balance covers. What is left out
 * leaves no trace, not its key.
 */
const insertWithHolds = (
  asks: readonly Asked[],
  options: { hintLimitMs: number; newId: () => string },
): Prisma.Sql => {
  const held = asks.map((ask) => {
    const [posting] = holdOf({ ...ask, money: ask }).postings;
    return { ...ask, holdJournalId: options.newId(), debit: posting!.debit, credit: posting!.credit };
  });
  return Prisma.sql`
    with recursive ${askedRows(held)},
    ${coveredRows(held.flatMap(({ debit, credit }) => [debit, credit]))},
    ${insertRows('covered', options.hintLimitMs)},
    ${holdRows}
    select id, "createdAt" from born`;
};

/** Amounts as text: JSON has no bigint, and a replacer would be asked about every field. */
const asJson = (asks: readonly Asked[]): string =>
  JSON.stringify(asks.map((ask) => ({ ...ask, amountMinor: String(ask.amountMinor) })));

const newView = (ask: NewRecharge, createdAt: Date): RechargeView => ({
  id: ask.id,
  clientId: ask.clientId,
  accountId: ask.accountId,
  state: 'CREATED',
  confirmation: null,
  openCases: [],
  amountMinor: ask.amountMinor,
  currency: ask.currency,
  paymentMethod: ask.paymentMethod,
  provider: ask.provider,
  providerOrderId: null,
  orderReference: ask.orderReference,
  failureCode: null,
  failureMessage: null,
  metadata: ask.metadata,
  createdAt,
  updatedAt: createdAt,
  submittedAt: null,
  succeededAt: null,
  failedAt: null,
  canceledAt: null,
});
