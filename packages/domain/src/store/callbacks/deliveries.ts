import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';

/** A delivery as its client sees it. */
export type ShownDelivery = Readonly<{
  id: string;
  eventId: string;
  type: string;
  url: string;
  endpointId: string | null;
  transactionId: string | null;
  status: 'pending' | 'delivered' | 'failed' | 'canceled';
  /** The attempts, oldest first. `at` is a time of ISO 8601. */
  attempts: readonly Readonly<{
    at: string;
    httpStatus: number | null;
    error: string | null;
    durationMs: number;
  }>[];
  nextAttemptAt: Date | null;
  createdAt: Date;
}>;

export type DeliveryFilter = Readonly<{
  clientId: string;
  /** SQL LIKE patterns of the accounts. */
  accountPatterns: readonly string[];
  endpointId?: string | undefined;
  transactionId?: string | undefined;
  status?: ShownDelivery['status'] | undefined;
  /** `nextId` of the previous page. */
  beforeId?: string | undefined;
  limit: number;
}>;

/** A page of deliveries, newest first. A page with fewer rows than its limit may have a next one. */
export type DeliveryPage = Readonly<{ rows: readonly ShownDelivery[]; nextId: string | null }>;

/** The columns of a delivery as it is shown. */
export const deliveryColumns = Prisma.sql`
  id,
  event_id as "eventId",
  type,
  url,
  endpoint_id as "endpointId",
  transaction_id as "transactionId",
  status,
  attempts,
  due_at as "nextAttemptAt",
  created_at as "createdAt"`;

// A statement looks at this many deliveries. Those of another status or client are not shown.
const EXAMINED_MAX = 600;
const ROUNDS = 5;

/** A delivery to show, or the oldest one that a statement has looked at. `examined` counts all of these. */
type Examined = ShownDelivery & Readonly<{ isShown: boolean; examined: number }>;

export async function listDeliveries(run: Run, filter: DeliveryFilter): Promise<DeliveryPage> {
  const rows: ShownDelivery[] = [];
  let beforeId = filter.beforeId ?? null;
  for (let round = 0; round < ROUNDS; round++) {
    const found = await run<Examined>(pageOf(filter, beforeId));
    for (const { isShown, examined: _, ...row } of found) {
      if (isShown && rows.length === filter.limit) return { rows, nextId: rows.at(-1)!.id };
      if (isShown) rows.push(row);
    }
    const last = found.at(-1);
    if (!last || last.examined < EXAMINED_MAX) return { rows, nextId: null };
    beforeId = last.id;
  }
  return { rows, nextId: beforeId };
}

const pageOf = (filter: DeliveryFilter, beforeId: string | null): Prisma.Sql => {
  const { clientId, endpointId, transactionId, status } = filter;
  const walk =
    transactionId !== undefined
      ? Prisma.sql`transaction_id = ${transactionId}::uuid`
      : endpointId !== undefined
        ? Prisma.sql`endpoint_id = ${endpointId}::uuid`
        : Prisma.sql`client_id = ${clientId}::uuid`;
  return Prisma.sql`
    with examined as materialized (
      select
        ${deliveryColumns},
        client_id = ${clientId}::uuid
          and coalesce(account_id, '%') like any(${[...filter.accountPatterns]}::text[])
          and (${endpointId ?? null}::uuid is null or endpoint_id = ${endpointId ?? null}::uuid)
          and (${status ?? null}::text is null or status = ${status ?? null}::text) as "isShown"
      from callback_delivery
      where ${walk} and ${beforeId === null ? Prisma.sql`true` : Prisma.sql`id < ${beforeId}::uuid`}
      order by id desc
      limit ${EXAMINED_MAX}::int)
    -- What is not shown stays in the database. The oldest one tells where the next statement begins.
    select *, (select count(*)::int from examined) as examined
    from examined
    where "isShown" or id = (select id from examined order by id limit 1)
    order by id desc`;
};

/** The keys of a client see the deliveries of the accounts that they cover. */
export type DeliveryViewer = Pick<DeliveryFilter, 'clientId' | 'accountPatterns'>;

async function deliveryById(
  run: Run,
  { clientId, accountPatterns }: DeliveryViewer,
  id: string,
): Promise<ShownDelivery | null> {
  if (!isUuid(id)) return null;
  const [row] = await run<ShownDelivery>(Prisma.sql`
    select ${deliveryColumns}
    from callback_delivery
    where id = ${id}::uuid and client_id = ${clientId}::uuid
      and coalesce(account_id, '%') like any(${[...accountPatterns]}::text[])`);
  return row ?? null;
}

/** A delivery whose schedule begins anew. Its event keeps its id, so a receiver knows it again. */
const replayed = Prisma.sql`status = 'pending', tries = 0, due_at = now()`;

/** Null if there is no such delivery, `disabled` if its endpoint takes no events any more. */
export async function replayDelivery(
  run: Run,
  viewer: DeliveryViewer,
  id: string,
): Promise<ShownDelivery | 'disabled' | null> {
  if (!(await deliveryById(run, viewer, id))) return null;
  const [row] = await run<ShownDelivery>(Prisma.sql`
    update callback_delivery delivery
    set ${replayed}
    where id = ${id}::uuid and (endpoint_id is null or exists (
      select from callback_endpoint endpoint
      where endpoint.id = delivery.endpoint_id and endpoint.status = 'active'))
    returning ${deliveryColumns}`);
  return row ?? 'disabled';
}

const REPLAYED_TOGETHER = 200;

/** Sends the events of an endpoint again that are not older than a time. Returns their number. */
export async function replaySince(run: Run, endpointId: string, since: Date): Promise<number> {
  let count = 0;
  let afterId: string | null = null;
  for (;;) {
    const place: string | null = afterId;
    const rows: { id: string }[] = await run<{ id: string }>(Prisma.sql`
      with chosen as materialized (
        select id
        from callback_delivery
        where endpoint_id = ${endpointId}::uuid
          and id >= ${place === null ? Prisma.sql`uuid_from(${since}::timestamptz)` : Prisma.sql`${place}::uuid`}
          and ${place === null ? Prisma.sql`true` : Prisma.sql`id > ${place}::uuid`}
        order by id
        limit ${REPLAYED_TOGETHER}::int)
      update callback_delivery delivery
      set ${replayed}
      from chosen
      where delivery.id = chosen.id
      returning delivery.id`);
    count += rows.length;
    if (rows.length < REPLAYED_TOGETHER) return count;
    afterId = rows
      .map(({ id }) => id)
      .toSorted()
      .at(-1)!;
  }
}
