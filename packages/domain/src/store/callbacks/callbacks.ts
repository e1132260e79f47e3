import type { AfterPost, PostOutcome } from '../../core/callback.js';
import { Prisma } from '../../generated/client.js';
import { persist } from '../database/failure.js';
import {
  type DeliveryFilter,
  type DeliveryPage,
  type DeliveryViewer,
  listDeliveries,
  replayDelivery,
  replaySince,
  type ShownDelivery,
} from './deliveries.js';
import {
  type CallbackEndpoint,
  type CreatedEndpoint,
  clientSecret,
  createEndpoint,
  type EndpointProblem,
  type EndpointWithSecret,
  endpointOf,
  endpointsOf,
  type NewCallbackEndpoint,
  type Rotation,
  rotateClientSecret,
  rotateEndpoint,
  type ShownSecret,
} from './endpoints.js';
import { cancelPending, type FiledPost, filePost } from './filing.js';
import { type CallbackPost, postTaker, type TakeOptions } from './posts.js';
import { rekeyCallbacks } from './rekey.js';
import type { CallbackDeps } from './secrets.js';

/** Events on their way to the addresses of clients. Triggers stage them where somebody listens. */
export interface Callbacks {
  createEndpoint(asked: NewCallbackEndpoint): Promise<CreatedEndpoint | EndpointProblem>;
  /** The endpoints of a client, newest first. */
  endpoints(clientId: string): Promise<CallbackEndpoint[]>;
  endpoint(clientId: string, id: string): Promise<CallbackEndpoint | null>;
  /** Removes an endpoint and cancels what waits for it. False if there is none. */
  removeEndpoint(clientId: string, id: string): Promise<boolean>;
  rotateEndpoint(
    asked: Readonly<{ clientId: string; id: string; rotation: Rotation }>,
  ): Promise<EndpointWithSecret | null>;
  /** The secret for the `callbackUrl` of a client's recharges. */
  secret(clientId: string): Promise<ShownSecret>;
  rotateSecret(clientId: string, rotation: Rotation): Promise<ShownSecret>;
  deliveries(filter: DeliveryFilter): Promise<DeliveryPage>;
  replay(viewer: DeliveryViewer, deliveryId: string): Promise<ShownDelivery | 'disabled' | null>;
  replaySince(endpointId: string, since: Date): Promise<number>;
  /** Claims due deliveries of a lane. */
  take(lane: string, options: TakeOptions): Promise<CallbackPost[]>;
  file(post: CallbackPost, outcome: PostOutcome, after: AfterPost): Promise<FiledPost>;
  /** Makes a claimed delivery due again that was not posted. */
  putBack(post: CallbackPost): Promise<void>;
  /** Ends the work on a lane. New deliveries of it are found at once. Returns whether one is due already. */
  release(lane: string): Promise<boolean>;
  backlog(): Promise<CallbackBacklog>;
  /** Seals the secrets again that another than the first master key sealed. Returns their number. */
  rekey(): Promise<number>;
}

/** @property pending deliveries on their way, 10,000 at most */
export type CallbackBacklog = Readonly<{
  pending: number;
  failingReceivers: number;
  disabledEndpoints: number;
}>;

const COUNTED_MAX = 10_000;

export function openCallbacks(deps: CallbackDeps): Callbacks {
  const { run, read } = deps.store;
  return {
    createEndpoint: (asked) => createEndpoint(deps, asked),
    endpoints: (clientId) => endpointsOf(deps, clientId),
    endpoint: (clientId, id) => endpointOf(deps, clientId, id),
    removeEndpoint: (clientId, id) => removeEndpoint(deps, clientId, id),
    rotateEndpoint: (asked) => rotateEndpoint(deps, asked),
    secret: (clientId) => clientSecret(deps, clientId),
    rotateSecret: (clientId, rotation) => rotateClientSecret(deps, clientId, rotation),
    deliveries: (filter) => listDeliveries(read, filter),
    replay: (viewer, id) => replayDelivery(run, viewer, id),
    replaySince: (endpointId, since) => replaySince(run, endpointId, since),
    take: postTaker(deps),
    file: (post, outcome, after) => filePost(run, post, outcome, after),
    putBack: async ({ id }) => {
      await run(Prisma.sql`
        update callback_delivery set due_at = now() where id = ${id}::uuid and due_at is not null`);
    },
    release: async (lane) => {
      const [row] = await run<{ isDue: boolean }>(Prisma.sql`
        update callback_lane
        set hinted_until = now()
        where id = ${lane}::uuid
        returning exists (
          select from callback_delivery
          where lane = ${lane}::uuid and due_at <= now()) as "isDue"`);
      return row?.isDue ?? false;
    },
    backlog: async () => {
      const [row] = await read<CallbackBacklog>(Prisma.sql`
        select
          (select count(*)::int
            from (select from callback_delivery where due_at is not null limit ${COUNTED_MAX}::int) some) as pending,
          (select count(*)::int from callback_lane where failing_since is not null) as "failingReceivers",
          (select count(*)::int from callback_endpoint where status = 'disabled') as "disabledEndpoints"`);
      return row!;
    },
    rekey: () => rekeyCallbacks(deps),
  };
}

async function removeEndpoint(deps: CallbackDeps, clientId: string, id: string): Promise<boolean> {
  if (!(await endpointOf(deps, clientId, id))) return false;
  // The idempotency key of its creation stays known, so a repeated request makes no second endpoint.
  await persist(() =>
    deps.store.db.callbackEndpoint.updateMany({ where: { id, clientId }, data: { status: 'deleted' } }),
  );
  await cancelPending(deps.store.run, Prisma.sql`lane = ${id}::uuid`);
  return true;
}
