import { Prisma } from '../../generated/client.js';
import { closedCases } from '../cases/close.js';
import { openedCases } from '../cases/open.js';
import type { Run } from '../database/database.js';
import { storableJson } from '../database/storable.js';
import { utc } from '../database/utc.js';

/** An event that cannot be read, with what can be said of it. */
export type Unread = Readonly<{
  /** The transaction that it names. One that is not there, or at another provider, is none. */
  transactionId: string | null;
  detail: object;
  /** While its transaction is not there yet the event is left alone. */
  mayWait: boolean;
  /** How long after it was stored it is tried again. After that it is filed as it is. */
  tryForMs: number;
}>;

/** `id` is that of the stored row. */
type Event = Readonly<{ id: string; provider: string; eventId: string }>;

/** What becomes of an event that is not heard as news. Each is one statement. */
export interface Filing {
  /** Files an event that no transaction belongs to, and opens a case for it. */
  fileUnmatched(event: Event, detail: object): Promise<void>;
  /** Files an event that is about no order. */
  fileIgnored(event: Event): Promise<void>;
  /** Puts an event that cannot be read on its transaction. True where this opened its case. */
  noteUnread(event: Event, unread: Unread): Promise<boolean>;
  /** Opens a case for an event that goes on being tried. */
  noteUnprocessable(event: Event, detail: object, transactionId: string | null): Promise<void>;
}

export const openFiling = (run: Run, newId: () => string): Filing => ({
  fileUnmatched: async (event, detail) => {
    await run(Prisma.sql`
      with filed as (${filedAs(event, 'conflict')}),
      to_close as (${answeredEvents('filed')}),
      ${closedCases},
      to_open as (
        select ${newId()}::uuid as case_id, subject, null::uuid as transaction_id, 'unknown_order' as kind,
          ${storableJson(detail)}::jsonb as detail
        from filed),
      ${openedCases}
      select from filed`);
  },
  fileIgnored: async (event) => {
    await run(Prisma.sql`
      with filed as (${filedAs(event, 'stale')}), to_close as (${answeredEvents('filed')}), ${closedCases} select from filed`);
  },
  noteUnread: async (event, unread) => {
    const noted = await run(noteUnread(event, unread, newId()));
    return noted.length > 0;
  },
  noteUnprocessable: async (event, detail, transactionId) => {
    await run(Prisma.sql`
      with noted as (
        update webhook_event event
        set verdict = 'unprocessable', transaction_id = coalesce(event.transaction_id, ${named(event, transactionId)})
        where id = ${event.id}::uuid and processed_at is null and verdict is distinct from 'unprocessable'
        returning ${eventSubject} as subject, transaction_id),
      to_open as (
        select ${newId()}::uuid as case_id, subject, transaction_id, 'unprocessable_event' as kind,
          ${storableJson(detail)}::jsonb as detail
        from noted),
      ${openedCases}
      select from noted`);
  },
});

/**
 * An unread event stays due. Its verdict says that its case was opened, so a case that a person has closed is not
 * opened again by the next try.
 */
const noteUnread = (event: Event, unread: Unread, caseId: string): Prisma.Sql => Prisma.sql`
  with before as (
    select id, verdict, ${named(event, unread.transactionId)} as named,
      stored_at + ${unread.tryForMs}::float8 * interval '1 ms' as tried_until
    from webhook_event
    where id = ${event.id}::uuid),
  noted as (
    update webhook_event event
    set
      verdict = 'unread',
      transaction_id = coalesce(event.transaction_id, before.named),
      processed_at = case when before.tried_until < now() then now() end,
      due_at = case when before.tried_until < now() then null else event.due_at end
    from before
    where event.id = before.id and event.processed_at is null
      and (event.verdict is distinct from 'unread' or before.tried_until < now())
      and (not ${unread.mayWait}::boolean or before.named is not null)
    returning ${eventSubject} as subject, event.transaction_id, before.verdict, before.tried_until),
  to_open as (
    select ${caseId}::uuid as case_id, subject, transaction_id, 'unread_event' as kind,
      ${storableJson(unread.detail)}::jsonb || jsonb_build_object('triedUntil', ${utc('tried_until')}) as detail
    from noted
    where verdict is distinct from 'unread'),
  ${openedCases}
  select from to_open`;

/** The subject of cases about a stored `event`. */
export const eventSubject = Prisma.sql`event.provider || ':' || event.event_id`;

/** An event speaks for transactions of its own provider only. */
const named = ({ provider }: Event, transactionId: string | null): Prisma.Sql => Prisma.sql`(
  select id from recharge_transaction where id = ${transactionId}::uuid and provider = ${provider})`;

const filedAs = ({ id }: Event, verdict: 'conflict' | 'stale'): Prisma.Sql => Prisma.sql`
  update webhook_event event set processed_at = now(), due_at = null, verdict = ${verdict}
  where id = ${id}::uuid and processed_at is null
  returning ${eventSubject} as subject`;

/**
 * What says of the events of a relation, with their `subject`, that they were not read or not processed, in the form
 * that `closedCases` takes.
 */
export const answeredEvents = (from: string): Prisma.Sql => Prisma.sql`
  select subject, kind, 'a later try read and processed the event' as resolution
  from ${Prisma.raw(from)}, unnest(array['unread_event', 'unprocessable_event']) as kind`;
