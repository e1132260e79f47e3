import { Prisma } from '../../generated/client.js';
import { closedCases } from '../cases/close.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { utc } from '../database/rows.js';
import { storableJson } from '../database/storable.js';

/** What is known about an event that this release cannot read. */
export type Unread = Readonly<{
  /** The transaction that the event names. It does not count if the event's provider has no such transaction. */
  transactionId: string | null;
  detail: object;
  /** Whether to ignore the event until its transaction is there. */
  mayWait: boolean;
  /** The event is tried again for this time after its arrival. Then it is marked as processed. */
  tryForMs: number;
}>;

/** `id` is the id of the stored row. */
type StoredName = Readonly<{ id: string; provider: string; eventId: string }>;

/** The ways to deal with an event that is not reported as news. Each is one statement. */
export interface Filing {
  /** Marks an event that belongs to no transaction as processed, and opens a case for it. */
  fileUnmatched(event: StoredName, detail: object): Promise<void>;
  /** Marks an event that is about no order as processed. */
  fileIgnored(event: StoredName): Promise<void>;
  /** Links an event that cannot be read to its transaction. Returns whether this opened the event's case. */
  noteUnread(event: StoredName, unread: Unread): Promise<boolean>;
  /** Opens a case for an event that could not be processed. The event stays due. */
  noteUnprocessable(event: StoredName, detail: object, transactionId: string | null): Promise<void>;
}

export const openFiling = (run: Run, newId: () => string): Filing => ({
  fileUnmatched: async (event, detail) => {
    await run(Prisma.sql`
      with
      processed_event as (${processedAs(event, 'conflict')}),
      to_close as (${answeredEvents('processed_event')}),
      ${closedCases},
      to_open as (
        select
          ${newId()}::uuid as case_id,
          subject,
          null::uuid as transaction_id,
          'unknown_order' as kind,
          ${storableJson(detail)}::jsonb as detail
        from processed_event),
      ${openedCases}
      select from processed_event`);
  },
  fileIgnored: async (event) => {
    await run(Prisma.sql`
      with
      processed_event as (${processedAs(event, 'stale')}),
      to_close as (${answeredEvents('processed_event')}),
      ${closedCases}
      select from processed_event`);
  },
  noteUnread: async (event, unread) => {
    const opened = await run(noteUnread(event, unread, newId()));
    return opened.length > 0;
  },
  noteUnprocessable: async (event, detail, transactionId) => {
    await run(noteUnprocessable(event, detail, transactionId, newId()));
  },
});

const noteUnprocessable = (
  event: StoredName,
  detail: object,
  transactionId: string | null,
  caseId: string,
): Prisma.Sql => Prisma.sql`
  with
  noted_event as (
    update webhook_event event
    set
      verdict = 'unprocessable',
      transaction_id = coalesce(event.transaction_id, ${ownTransaction(event, transactionId)})
    where event.id = ${event.id}::uuid
      and event.processed_at is null
      and event.verdict is distinct from 'unprocessable'
    returning ${eventSubject} as subject, event.transaction_id),
  to_open as (
    select
      ${caseId}::uuid as case_id,
      subject,
      transaction_id,
      'unprocessable_event' as kind,
      ${storableJson(detail)}::jsonb as detail
    from noted_event),
  ${openedCases}
  select from noted_event`;

/**
 * An unread event stays due. Its verdict records that its case was opened, so the next try does not reopen a case that
 * a person has closed.
 */
const noteUnread = (event: StoredName, unread: Unread, caseId: string): Prisma.Sql => Prisma.sql`
  with
  stored_event as (
    select
      id,
      verdict,
      ${ownTransaction(event, unread.transactionId)} as named,
      stored_at + ${unread.tryForMs}::float8 * interval '1 ms' as tried_until
    from webhook_event
    where id = ${event.id}::uuid),
  noted_event as (
    update webhook_event event
    set
      verdict = 'unread',
      transaction_id = coalesce(event.transaction_id, stored.named),
      processed_at = case when stored.tried_until < now() then now() end,
      due_at = case when stored.tried_until < now() then null else event.due_at end
    from stored_event stored
    where event.id = stored.id
      and event.processed_at is null
      and (event.verdict is distinct from 'unread' or stored.tried_until < now())
      and (not ${unread.mayWait}::boolean or stored.named is not null)
    returning ${eventSubject} as subject, event.transaction_id, stored.verdict, stored.tried_until),
  to_open as (
    select
      ${caseId}::uuid as case_id,
      subject,
      transaction_id,
      'unread_event' as kind,
      ${storableJson(unread.detail)}::jsonb || jsonb_build_object('triedUntil', ${utc('tried_until')}) as detail
    from noted_event
    where verdict is distinct from 'unread'),
  ${openedCases}
  select from to_open`;

/** The subject of cases about a stored `event`. */
export const eventSubject = Prisma.sql`event.provider || ':' || event.event_id`;

/** The named transaction, if it is one of the event's own provider. */
const ownTransaction = ({ provider }: StoredName, transactionId: string | null): Prisma.Sql => Prisma.sql`(
  select id
  from recharge_transaction
  where id = ${transactionId}::uuid and provider = ${provider})`;

const processedAs = ({ id }: StoredName, verdict: 'conflict' | 'stale'): Prisma.Sql => Prisma.sql`
  update webhook_event event
  set processed_at = now(), due_at = null, verdict = ${verdict}
  where event.id = ${id}::uuid and event.processed_at is null
  returning ${eventSubject} as subject`;

/**
 * The cases about the events of the relation `from`, in the form that `closedCases` takes. They can be closed, because
 * the events are now read and processed. The relation has a column `subject`.
 */
export const answeredEvents = (from: string): Prisma.Sql => Prisma.sql`
  select subject, kind, 'a later try read and processed the event' as resolution
  from ${Prisma.raw(from)}, unnest(array['unread_event', 'unprocessable_event']) as kind`;
