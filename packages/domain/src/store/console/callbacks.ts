import { Prisma } from '../../generated/client.js';
import { deliveryColumns, type ShownDelivery } from '../callbacks/deliveries.js';
import type { CallbackEndpoint } from '../callbacks/endpoints.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';

/** @property pending its deliveries that are due or waiting, PENDING_MAX at most */
export type EndpointHealth = Pick<
  CallbackEndpoint,
  'id' | 'clientId' | 'url' | 'status' | 'disabledBecause' | 'createdAt'
> &
  Readonly<{ pending: number }>;

export type ClientDelivery = ShownDelivery & Readonly<{ clientId: string }>;

export type ClientDeliveryPage = Readonly<{ rows: readonly ClientDelivery[]; nextId: string | null }>;

/** @property status null: deliveries of every status */
export type DeliveriesAsk = Readonly<{ status: string | null; beforeId: string | null; limit: number }>;

const PENDING_MAX = 1_000;

/**
 * The endpoints of all clients, those that are disabled first, then newest first. The lane of an endpoint has its id, and
 * the index of the due deliveries of a lane has no delivery that ended.
 */
export const endpointsHealth = (read: Run, limit: number): Promise<EndpointHealth[]> =>
  read<EndpointHealth>(Prisma.sql`
    select
      id,
      client_id as "clientId",
      url,
      status,
      disabled_because as "disabledBecause",
      created_at as "createdAt",
      (
        select count(*)::int
        from (
          select from callback_delivery
          where lane = endpoint.id and due_at is not null
          limit ${PENDING_MAX}::int) waiting) as pending
    from callback_endpoint endpoint
    order by status = 'disabled' desc, id desc
    limit ${limit}::int`);

const columns = Prisma.sql`${deliveryColumns}, client_id as "clientId"`;

// A page looks at this many deliveries. Those of another status are not shown.
const EXAMINED_MAX = 1_000;

/** The deliveries to all clients, newest first. A page with fewer rows than its limit may have a next one. */
export async function deliveriesOfAll(
  read: Run,
  { status, beforeId, limit }: DeliveriesAsk,
): Promise<ClientDeliveryPage> {
  const examined = await read<ClientDelivery>(Prisma.sql`
    select ${columns}
    from callback_delivery
    where ${beforeId !== null && isUuid(beforeId) ? Prisma.sql`id < ${beforeId}::uuid` : Prisma.sql`true`}
    order by id desc
    limit ${EXAMINED_MAX}::int`);
  const fitting = examined.filter((row) => status === null || row.status === status);
  const rows = fitting.slice(0, limit);
  if (fitting.length > limit) return { rows, nextId: rows.at(-1)!.id };
  return { rows, nextId: examined.length === EXAMINED_MAX ? examined.at(-1)!.id : null };
}

export async function deliveryOfAny(read: Run, id: string): Promise<ClientDelivery | null> {
  if (!isUuid(id)) return null;
  const [row] = await read<ClientDelivery>(
    Prisma.sql`select ${columns} from callback_delivery where id = ${id}::uuid`,
  );
  return row ?? null;
}
