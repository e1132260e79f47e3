import { hash } from 'node:crypto';
import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { columns, type Row } from '../database/rows.js';
import { isUuid, storable, storableJson, uuidsOf } from '../database/storable.js';
import { eventSubject, type Filing, openFiling } from './filing.js';

/** A provider event whose signature was verified, with the bytes as they were received. */
export type SignedEvent = Readonly<{
  id: string;
  provider: string;
  /** The account of ours at the provider whose secret fits the event. Missing: it is not known. */
  providerAccount?: string;
  eventId: string;
  rawBody: Buffer;
  correlationId: string;
}>;

/**
 * `id` is the row of the event. A repeated event has the row of its first arrival. `changed`: the same event id came
 * with another body.
 */
export type Receipt = Readonly<{ id: string; verdict: 'kept' | 'repeated' | 'changed' }>;

export type StoredEvent = Readonly<{
  id: string;
  provider: string;
  /**
   * The account of ours that the event is for. Null: the release that stored the event knew one account per provider.
   */
  providerAccount: string | null;
  eventId: string;
  rawBody: Buffer;
  correlationId: string;
  processed: boolean;
  ageMs: number;
}>;

type HashedEvent = Row<typeof eventColumns>;

export interface Inbox extends Filing {
  /** Stores an event before it is acknowledged. A repeated event is recognised by its provider and event id. */
  keep(event: SignedEvent): Promise<Receipt>;
  read(id: string): Promise<StoredEvent | null>;
  /**
   * The id of the transaction that an event is about: the reference in the event, or else the recharge that is known by
   * the event's order id. `applyNews` checks whether the provider has such a transaction.
   */
  match(of: {
    provider: string;
    reference: string | null;
    providerOrderId: string | null;
  }): Promise<string | null>;
}

export function openInbox(run: Run, options: { hintLimitMs: number; newId: () => string }): Inbox {
  const limits = { batchMax: 64, inFlightMax: 2 };
  const inLargeBatches = { ...limits, besideMin: 32 };
  const keep = coalesce<HashedEvent, Receipt>((arrivals) => keepAll(run, arrivals, options), inLargeBatches);
  const ofOrder = coalesce<OrderName, string | null>((orders) => transactionsOf(run, orders), limits);
  const read = coalesce<string, StoredEvent | null>((ids) => readAll(run, ids), inLargeBatches);
  return {
    keep: (event) => keep(hashed(event)),
    read,
    match: async ({ provider, reference, providerOrderId }) => {
      if (reference !== null && isUuid(reference)) return reference.toLowerCase();
      return providerOrderId === null ? null : ofOrder({ provider, providerOrderId });
    },
    ...openFiling(run, options.newId),
  };
}

const eventColumns = columns({
  id: 'uuid',
  provider: 'text',
  providerAccount: 'text?',
  eventId: 'text',
  rawBody: 'text',
  bodyHash: 'text',
  correlationId: 'text',
});

const hashed = (event: SignedEvent): HashedEvent => ({
  id: event.id,
  provider: event.provider,
  providerAccount: event.providerAccount ?? null,
  eventId: event.eventId,
  rawBody: event.rawBody.toString('base64'),
  bodyHash: hash('sha256', event.rawBody),
  correlationId: event.correlationId,
});

async function keepAll(
  run: Run,
  events: readonly HashedEvent[],
  options: { hintLimitMs: number; newId: () => string },
): Promise<Receipt[]> {
  const kept = await run<{ id: string }>(Prisma.sql`
    with input as ${eventColumns.from(events)}
    insert into webhook_event (
      id,
      provider,
      provider_account,
      event_id,
      raw_body,
      body_hash,
      correlation_id,
      due_at)
    select
      id,
      provider,
      "providerAccount",
      "eventId",
      decode("rawBody", 'base64'),
      decode("bodyHash", 'hex'),
      "correlationId",
      now() + ${options.hintLimitMs}::int * interval '1 ms'
    from input
    order by provider, "eventId"
    on conflict (provider, event_id) do nothing
    returning id`);
  const ids = new Set(kept.map((row) => row.id));
  const repeated = events.filter(({ id }) => !ids.has(id));
  const stored = repeated.length > 0 ? await findStored(run, repeated) : new Map<string, StoredHash>();
  return Promise.all(
    events.map(async (event): Promise<Receipt> => {
      if (ids.has(event.id)) return { id: event.id, verdict: 'kept' };
      const first = stored.get(`${event.provider} ${event.eventId}`);
      if (!first) throw new Error(`event ${event.provider} ${event.eventId} is neither kept nor there`);
      if (first.bodyHash === event.bodyHash) return { id: first.id, verdict: 'repeated' };
      await openChangedCase(run, event, options.newId());
      return { id: first.id, verdict: 'changed' };
    }),
  );
}

type StoredHash = Readonly<{ id: string; provider: string; eventId: string; bodyHash: string }>;

const nameColumns = columns({ provider: 'text', eventId: 'text' });

async function findStored(run: Run, events: readonly HashedEvent[]): Promise<Map<string, StoredHash>> {
  const names = events.map(({ provider, eventId }) => ({ provider, eventId }));
  const rows = await run<StoredHash>(Prisma.sql`
    with input as ${nameColumns.from(names)}
    select
      event.id,
      event.provider,
      event.event_id as "eventId",
      encode(event.body_hash, 'hex') as "bodyHash"
    from (select distinct provider, "eventId" from input) wanted
    join webhook_event event on event.provider = wanted.provider and event.event_id = wanted."eventId"`);
  return new Map(rows.map((row) => [`${row.provider} ${row.eventId}`, row]));
}

async function openChangedCase(
  run: Run,
  { provider, eventId, rawBody }: HashedEvent,
  caseId: string,
): Promise<void> {
  const detail = storableJson({
    eventId,
    body: Buffer.from(rawBody, 'base64').toString('utf8').slice(0, 4_000),
  });
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
      where event.provider = ${provider} and event.event_id = ${eventId}),
    ${openedCases}
    select from to_open`);
}

async function readAll(run: Run, ids: readonly string[]): Promise<(StoredEvent | null)[]> {
  const rows = await run<StoredEvent>(Prisma.sql`
    select
      id,
      provider,
      provider_account as "providerAccount",
      event_id as "eventId",
      raw_body as "rawBody",
      correlation_id as "correlationId",
      processed_at is not null as processed,
      (extract(epoch from now() - stored_at) * 1000)::float8 as "ageMs"
    from webhook_event
    where id = any(${uuidsOf(ids)}::uuid[])`);
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}

const orderColumns = columns({ provider: 'text', providerOrderId: 'text', n: 'int' });
type OrderName = Readonly<{ provider: string; providerOrderId: string }>;

async function transactionsOf(run: Run, orders: readonly OrderName[]): Promise<(string | null)[]> {
  const input = orders.map(({ provider, providerOrderId }, n) => ({
    provider: storable(provider, provider.length),
    providerOrderId: storable(providerOrderId, providerOrderId.length),
    n,
  }));
  const rows = await run<{ n: number; id: string }>(Prisma.sql`
    with input as ${orderColumns.from(input)}
    select input.n, recharge.id
    from input
    join recharge_transaction recharge on recharge.provider = input.provider
      and recharge.provider_order_id = input."providerOrderId"`);
  const found = new Map(rows.map((row) => [row.n, row.id]));
  return orders.map((_, n) => found.get(n) ?? null);
}
