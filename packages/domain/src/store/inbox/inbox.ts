import { hash } from 'node:crypto';
import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { isUuid, storableJson, uuidsOf } from '../database/storable.js';
import { eventSubject, type Filing, openFiling } from './filing.js';

/** An authentic provider event, as its bytes came. */
export type SignedEvent = Readonly<{
  id: string;
  provider: string;
  eventId: string;
  rawBody: Buffer;
  correlationId: string;
}>;

/** `id` is the row that stands for the event: the first delivery's. `changed`: the same event id with another body. */
export type Receipt = Readonly<{ id: string; verdict: 'kept' | 'repeated' | 'changed' }>;

export type StoredEvent = Readonly<{
  id: string;
  provider: string;
  eventId: string;
  rawBody: Buffer;
  correlationId: string;
  processed: boolean;
  ageMs: number;
}>;

type HashedEvent = SignedEvent & { bodyHash: string };

export interface Inbox extends Filing {
  /** Stores an event before it is acknowledged; a repeated one is recognised by (provider, event id). */
  keep(delivery: SignedEvent): Promise<Receipt>;
  read(id: string): Promise<StoredEvent | null>;
  /**
   * The transaction an event speaks of: our reference, taken at its word, or else whose order it is. Whether there is
   * such a transaction of that provider is for `applyNews` to say.
   */
  match(of: {
    provider: string;
    reference: string | null;
    providerOrderId: string | null;
  }): Promise<string | null>;
}

export function openInbox(run: Run, options: { hintLimitMs: number; newId: () => string }): Inbox {
  const limits = { batchMax: 64, inFlightMax: 2 };
  const keep = coalesce<HashedEvent, Receipt>((arrivals) => keepAll(run, arrivals, options), limits);
  const ofOrder = coalesce<OrderName, string | null>((orders) => transactionsOf(run, orders), limits);
  const read = coalesce<string, StoredEvent | null>((ids) => readAll(run, ids), limits);
  return {
    keep: (delivery) => keep({ ...delivery, bodyHash: hash('sha256', delivery.rawBody) }),
    read,
    match: async ({ provider, reference, providerOrderId }) => {
      if (reference !== null && isUuid(reference)) return reference.toLowerCase();
      return providerOrderId === null ? null : ofOrder({ provider, providerOrderId });
    },
    ...openFiling(run, options.newId),
  };
}

async function keepAll(
  run: Run,
  arrivals: readonly HashedEvent[],
  options: { hintLimitMs: number; newId: () => string },
): Promise<Receipt[]> {
  const json = JSON.stringify(arrivals.map((a) => ({ ...a, rawBody: a.rawBody.toString('base64') })));
  const kept = await run<{ id: string }>(Prisma.sql`
    insert into webhook_event (id, provider, event_id, raw_body, body_hash, correlation_id, due_at)
    select id, provider, "eventId", decode("rawBody", 'base64'), decode("bodyHash", 'hex'), "correlationId",
      now() + ${options.hintLimitMs}::int * interval '1 ms'
    from jsonb_to_recordset(${json}::jsonb) as a(
      id uuid, provider text, "eventId" text, "rawBody" text, "bodyHash" text, "correlationId" text)
    order by provider, "eventId"
    on conflict (provider, event_id) do nothing
    returning id`);
  const ids = new Set(kept.map((row) => row.id));
  const rivals = arrivals.filter((a) => !ids.has(a.id));
  const first = rivals.length > 0 ? await firstOf(run, rivals) : new Map();
  return Promise.all(
    arrivals.map(async (a): Promise<Receipt> => {
      if (ids.has(a.id)) return { id: a.id, verdict: 'kept' };
      const stored = first.get(`${a.provider} ${a.eventId}`);
      if (!stored) throw new Error(`event ${a.provider} ${a.eventId} is neither kept nor there`);
      if (stored.bodyHash === a.bodyHash) return { id: stored.id, verdict: 'repeated' };
      await openChangedCase(run, a, options.newId());
      return { id: stored.id, verdict: 'changed' };
    }),
  );
}

async function firstOf(run: Run, arrivals: readonly HashedEvent[]) {
  const json = JSON.stringify(arrivals.map(({ provider, eventId }) => ({ provider, eventId })));
  const rows = await run<{ id: string; provider: string; eventId: string; bodyHash: string }>(Prisma.sql`
    select e.id, e.provider, e.event_id as "eventId", encode(e.body_hash, 'hex') as "bodyHash"
    from (select distinct provider, "eventId"
      from jsonb_to_recordset(${json}::jsonb) as a(provider text, "eventId" text)) a
    join webhook_event e on e.provider = a.provider and e.event_id = a."eventId"`);
  return new Map(rows.map((row) => [`${row.provider} ${row.eventId}`, row]));
}

async function openChangedCase(run: Run, a: HashedEvent, caseId: string): Promise<void> {
  const detail = storableJson({ eventId: a.eventId, body: a.rawBody.toString('utf8').slice(0, 4_000) });
  await run(Prisma.sql`
    with
    to_open as (
      select
        ${caseId}::uuid as case_id,
        ${eventSubject} as subject,
        event.transaction_id,
        'event_changed' as kind,
        ${detail}::jsonb as detail
      from webhook_event event
      where event.provider = ${a.provider} and event.event_id = ${a.eventId}),
    ${openedCases}
    select from to_open`);
}

async function readAll(run: Run, ids: readonly string[]): Promise<(StoredEvent | null)[]> {
  const rows = await run<StoredEvent>(Prisma.sql`
    select id, provider, event_id as "eventId", raw_body as "rawBody", correlation_id as "correlationId",
      processed_at is not null as processed,
      (extract(epoch from now() - stored_at) * 1000)::float8 as "ageMs"
    from webhook_event where id = any(${uuidsOf(ids)}::uuid[])`);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}

type OrderName = Readonly<{ provider: string; providerOrderId: string }>;

async function transactionsOf(run: Run, orders: readonly OrderName[]): Promise<(string | null)[]> {
  const json = storableJson(orders.map((order, n) => ({ ...order, n })));
  const rows = await run<{ n: number; id: string }>(Prisma.sql`
    select a.n, t.id from jsonb_to_recordset(${json}::jsonb) as a(n int, provider text, "providerOrderId" text)
    join recharge_transaction t on t.provider = a.provider and t.provider_order_id = a."providerOrderId"`);
  const found = new Map(rows.map((row) => [row.n, row.id]));
  return orders.map((_, n) => found.get(n) ?? null);
}
