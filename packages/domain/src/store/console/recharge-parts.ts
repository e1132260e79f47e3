import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/** One call to a provider. */
export type CallView = Readonly<{
  id: string;
  operation: string;
  attempt: number;
  outcome: string | null;
  providerCode: string | null;
  httpStatus: number | null;
  startedAt: Date;
  endedAt: Date | null;
  evidence: Readonly<Record<string, unknown>> | null;
}>;

/** One signed event of a provider, with the beginning of its body. */
export type EventView = Readonly<{
  provider: string;
  eventId: string;
  storedAt: Date;
  processedAt: Date | null;
  verdict: string | null;
  body: string;
  bytes: number;
}>;

const SHOWN_MAX = 100;
const BODY_MAX = 4_000;

export const callsOf = (read: Run, transactionId: string): Promise<CallView[]> =>
  read<CallView>(Prisma.sql`
    select
      id,
      operation,
      attempt,
      outcome,
      provider_code as "providerCode",
      http_status as "httpStatus",
      started_at as "startedAt",
      ended_at as "endedAt",
      evidence
    from (
      select *
      from provider_call
      where transaction_id = ${transactionId}::uuid
      order by started_at desc, id desc
      limit ${SHOWN_MAX}::int) newest
    order by started_at, id`);

/** The body is stored as it came. What is no UTF-8 is shown as replacement characters. */
export async function eventsOf(read: Run, transactionId: string): Promise<EventView[]> {
  const rows = await read<Omit<EventView, 'body'> & { body: Uint8Array }>(Prisma.sql`
    select
      provider,
      event_id as "eventId",
      stored_at as "storedAt",
      processed_at as "processedAt",
      verdict,
      substring(raw_body from 1 for ${BODY_MAX}::int) as body,
      octet_length(raw_body)::int as bytes
    from webhook_event
    where transaction_id = ${transactionId}::uuid
    order by stored_at, id
    limit ${SHOWN_MAX}::int`);
  return rows.map((row) => ({ ...row, body: Buffer.from(row.body).toString('utf8') }));
}
