import { Prisma } from '../../generated/client.js';
import { type CaseRow, type CaseView, caseColumns, type IsRefunding, viewOf } from '../cases/view.js';
import type { Run } from '../database/database.js';
import { type DeliveryView, type RechargeView, viewColumns } from '../reads/view.js';

/** What an event is about, as it stood when the event happened. */
export type CallbackContent = Readonly<{ eventId: string; type: string; at: Date; version: number }> &
  (
    | Readonly<{ about: 'recharge'; recharge: RechargeView; reason: string | null }>
    | Readonly<{ about: 'case'; one: CaseView }>
    | Readonly<{ about: 'data'; data: Readonly<Record<string, unknown>> }>
  );

type EventRow = Readonly<{ eventId: string; eventType: string; eventAt: Date; eventVersion: bigint }>;

/** The content of events. An event whose recharge is unknown is missing. */
export async function contentsOf(
  run: Run,
  eventIds: readonly string[],
  isRefunding: IsRefunding,
): Promise<Map<string, CallbackContent>> {
  const [recharges, cases, others] = await Promise.all([
    rechargesOf(run, eventIds),
    casesOf(run, eventIds, isRefunding),
    dataOf(run, eventIds),
  ]);
  return new Map([...recharges, ...cases, ...others].map((content) => [content.eventId, content]));
}

const eventColumns = Prisma.sql`
  event.id as "eventId",
  event.type as "eventType",
  event.at as "eventAt",
  event.version as "eventVersion"`;

const eventOf = ({ eventId, eventType, eventAt, eventVersion }: EventRow) => ({
  eventId,
  type: eventType,
  at: eventAt,
  version: Number(eventVersion),
});

type MomentRow = Readonly<{
  delivery: Readonly<Record<string, string | null>> | null;
  openCases: readonly string[];
  refunded: string;
}>;

/** The row of the recharge as it was, read like any other row. The parts that other tables hold are in the snapshot too. */
async function rechargesOf(run: Run, eventIds: readonly string[]): Promise<CallbackContent[]> {
  const rows = await run<EventRow & RechargeView & { reason: string | null; snapshot: MomentRow }>(Prisma.sql`
    select
      ${eventColumns},
      event.snapshot - 'recharge' as snapshot,
      request.reason,
      ${viewColumns}
    from callback_event event
    cross join lateral jsonb_populate_record(null::recharge_transaction, event.snapshot -> 'recharge') recharge
    join recharge_request request on request.transaction_id = recharge.id
    where event.id = any(${[...eventIds]}::uuid[]) and event.snapshot ? 'refunded'`);
  return rows.map((row) => {
    const { snapshot, reason, eventId: _, eventType: __, eventAt: ___, eventVersion: ____, ...view } = row;
    const recharge: RechargeView = {
      ...view,
      openCases: snapshot.openCases,
      refundedMinor: BigInt(snapshot.refunded),
      delivery: snapshot.delivery && deliveryOf(snapshot.delivery),
      providerDown: null,
    };
    return { ...eventOf(row), about: 'recharge' as const, recharge, reason };
  });
}

/** The delivery in a row. It is always final, because its collect has an event only then. */
const deliveryOf = (row: Readonly<Record<string, string | null>>): DeliveryView => ({
  id: row.id!,
  state: row.state as DeliveryView['state'],
  confirmation: row.confirmation as DeliveryView['confirmation'],
  nextStep: row.next_step as DeliveryView['nextStep'],
  waiting: null,
  providerDown: null,
  openCases: [],
  caseId: null,
  failureCode: row.failure_code ?? null,
  failureMessage: row.failure_message ?? null,
  dueAt: row.due_at ? new Date(row.due_at).toISOString() : null,
  updatedAt: new Date(row.updated_at!).toISOString(),
});

async function casesOf(
  run: Run,
  eventIds: readonly string[],
  isRefunding: IsRefunding,
): Promise<CallbackContent[]> {
  const rows = await run<EventRow & CaseRow>(Prisma.sql`
    select ${eventColumns}, ${caseColumns}
    from callback_event event
    cross join lateral jsonb_populate_record(null::reconciliation_case, event.snapshot -> 'case') some_case
    left join lateral jsonb_populate_record(
      null::recharge_transaction, nullif(event.snapshot -> 'recharge', 'null')) recharge on recharge.id is not null
    where event.id = any(${[...eventIds]}::uuid[]) and event.snapshot ? 'case'`);
  return rows.map((row) => {
    const { eventId: _, eventType: __, eventAt: ___, eventVersion: ____, ...one } = row;
    return { ...eventOf(row), about: 'case' as const, one: viewOf(one, isRefunding) };
  });
}

async function dataOf(run: Run, eventIds: readonly string[]): Promise<CallbackContent[]> {
  const rows = await run<EventRow & { data: Record<string, unknown> }>(Prisma.sql`
    select ${eventColumns}, event.snapshot -> 'data' as data
    from callback_event event
    where event.id = any(${[...eventIds]}::uuid[]) and event.snapshot ? 'data'`);
  return rows.map((row) => ({ ...eventOf(row), about: 'data' as const, data: row.data }));
}
