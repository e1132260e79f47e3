import type {
  CallbackEndpoint,
  Domain,
  EndpointWithSecret,
  Rotation,
  ShownDelivery,
  ShownSecret,
} from '@replenish/domain';
import { callbackTypes } from '@replenish/domain/rules';
import type { z } from 'zod';
import { likeOf } from '../auth/account-patterns.js';
import { answer, answerNothing } from '../http/answers/answer.js';
import { Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import type { KeyedCall } from '../http/operation.js';
import { cursorOf, idOf } from '../input/cursor.js';
import { optionalKey } from '../input/key-header.js';
import type { Targets } from '../input/targets.js';
import type { CallbackEndpointInput, DeliveryQuery, ReplayInput } from './input.js';

export type CallbackRouteDeps = Readonly<{ domain: Pick<Domain, 'callbacks'>; targets: Targets }>;

/** POST /v1/callback-endpoints */
export async function createCallbackEndpoint(
  { domain, targets }: CallbackRouteDeps,
  call: KeyedCall<never, z.infer<typeof CallbackEndpointInput>>,
): Promise<void> {
  const { request, response, key } = call;
  const { url, events = [] } = call.body();
  await targets.require(url, 'url');
  const created = await domain.callbacks.createEndpoint({
    clientId: key.clientId,
    url,
    events,
    accounts: key.accounts.map(likeOf),
    idempotencyKey: optionalKey(request.headers['idempotency-key']),
  });
  if (created === 'key_used_with_other_body')
    throw new Problem(
      'DUPLICATE_REQUEST',
      'this idempotency key was used with another request; to repeat that one, send it unchanged',
    );
  if (created === 'too_many_endpoints')
    throw new Problem('INVALID_STATE', 'the client has as many endpoints as one client can have');
  addHeader(response, 'location', `/v1/callback-endpoints/${created.endpoint.id}`);
  if (created.replayed) addHeader(response, 'idempotent-replayed', 'true');
  answer(request, response, 'callbackEndpoint', withSecret(created), {
    status: created.replayed ? 200 : 201,
  });
}

/** GET /v1/callback-endpoints */
export async function listCallbackEndpoints({ domain }: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  const endpoints = await domain.callbacks.endpoints(call.key.clientId);
  answer(call.request, call.response, 'callbackEndpoints', { data: endpoints.map(endpointBody) });
}

/** GET /v1/callback-endpoints/{endpointId} */
export async function readCallbackEndpoint(deps: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  answer(call.request, call.response, 'callbackEndpoint', endpointBody(await ownEndpoint(deps, call)));
}

/** DELETE /v1/callback-endpoints/{endpointId} */
export async function removeCallbackEndpoint({ domain }: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  call.body();
  const isRemoved = await domain.callbacks.removeEndpoint(call.key.clientId, idIn(call, 'endpointId'));
  if (!isRemoved && !call.repeats) throw unknownEndpoint();
  answerNothing(call.response);
}

/** POST /v1/callback-endpoints/{endpointId}/rotate */
export async function rotateCallbackEndpoint({ domain }: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  call.body();
  const rotated = await domain.callbacks.rotateEndpoint({
    clientId: call.key.clientId,
    id: idIn(call, 'endpointId'),
    rotation: rotationOf(call),
  });
  if (!rotated) throw unknownEndpoint();
  answer(call.request, call.response, 'callbackEndpoint', withSecret(rotated));
}

/** POST /v1/callback-endpoints/{endpointId}/replay */
export async function replayCallbackEndpoint(
  deps: CallbackRouteDeps,
  call: KeyedCall<never, z.infer<typeof ReplayInput>>,
): Promise<void> {
  const { since } = call.body();
  const endpoint = await ownEndpoint(deps, call);
  if (endpoint.status !== 'active') throw disabledEndpoint();
  const replayed = await deps.domain.callbacks.replaySince(endpoint.id, boundedTime(since));
  answer(call.request, call.response, 'replayed', { replayed }, { status: 202 });
}

/** GET /v1/callback-secret */
export async function readCallbackSecret({ domain }: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  const secret = await domain.callbacks.secret(call.key.clientId);
  answer(call.request, call.response, 'callbackSecret', secretBody(secret));
}

/** POST /v1/callback-secret/rotate */
export async function rotateCallbackSecret({ domain }: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  call.body();
  const rotated = await domain.callbacks.rotateSecret(call.key.clientId, rotationOf(call));
  answer(call.request, call.response, 'callbackSecret', secretBody(rotated));
}

/** GET /v1/callback-deliveries */
export async function listCallbackDeliveries(
  { domain }: CallbackRouteDeps,
  call: KeyedCall<z.infer<typeof DeliveryQuery>>,
): Promise<void> {
  const { cursor, ...filter } = call.query();
  const { rows, nextId } = await domain.callbacks.deliveries({
    ...filter,
    ...viewerOf(call),
    beforeId: cursor && idOf(cursor),
  });
  const nextCursor = nextId === null ? null : cursorOf(nextId);
  answer(call.request, call.response, 'callbackDeliveries', { data: rows.map(deliveryBody), nextCursor });
}

/** POST /v1/callback-deliveries/{deliveryId}/replay */
export async function replayCallbackDelivery({ domain }: CallbackRouteDeps, call: KeyedCall): Promise<void> {
  call.body();
  const replayed = await domain.callbacks.replay(viewerOf(call), idIn(call, 'deliveryId'));
  if (replayed === null) throw new Problem('NOT_FOUND', 'there is no such delivery');
  if (replayed === 'disabled') throw disabledEndpoint();
  answer(call.request, call.response, 'callbackDelivery', deliveryBody(replayed), { status: 202 });
}

const idIn = ({ request }: Pick<KeyedCall, 'request'>, name: 'endpointId' | 'deliveryId'): string =>
  String(request.params[name]).toLowerCase();

const rotationOf = ({ request, repeats }: Pick<KeyedCall, 'request' | 'repeats'>): Rotation => ({
  key: optionalKey(request.headers['idempotency-key']),
  isOver: repeats === 'answered',
});

const viewerOf = ({ key }: Pick<KeyedCall, 'key'>) => ({
  clientId: key.clientId,
  accountPatterns: key.accounts.map(likeOf),
});

async function ownEndpoint(
  { domain }: CallbackRouteDeps,
  call: Pick<KeyedCall, 'request' | 'key'>,
): Promise<CallbackEndpoint> {
  const endpoint = await domain.callbacks.endpoint(call.key.clientId, idIn(call, 'endpointId'));
  if (!endpoint) throw unknownEndpoint();
  return endpoint;
}

const unknownEndpoint = (): Problem => new Problem('NOT_FOUND', 'there is no such callback endpoint');
const disabledEndpoint = (): Problem =>
  new Problem('INVALID_STATE', 'the endpoint is disabled or removed; make a new one');

/** A time that a UUID can hold, because the ids of events are made from times. */
const boundedTime = (text: string): Date =>
  new Date(Math.min(Math.max(Date.parse(text), 0), Date.UTC(9_000, 0)));

const endpointBody = ({ id, url, events, status, ...rest }: CallbackEndpoint) => ({
  endpointId: id,
  url,
  events: events.length > 0 ? events : callbackTypes,
  status,
  disabledBecause: rest.disabledBecause,
  disabledAt: rest.disabledAt,
  createdAt: rest.createdAt,
  previousSecretValidUntil: rest.previousValidUntil,
});

const withSecret = ({ endpoint, secret }: EndpointWithSecret) => ({ ...endpointBody(endpoint), secret });

const secretBody = ({ secret, createdAt, previousValidUntil }: ShownSecret) => ({
  secret,
  createdAt,
  previousSecretValidUntil: previousValidUntil,
});

const deliveryBody = ({ id, eventId, type, url, endpointId, ...rest }: ShownDelivery) => ({
  deliveryId: id,
  eventId,
  type,
  url,
  endpointId,
  transactionId: rest.transactionId,
  status: rest.status,
  attempts: rest.attempts.map(({ at, httpStatus, error, durationMs }) => ({
    at,
    httpStatus,
    error,
    durationMs,
  })),
  nextAttemptAt: rest.nextAttemptAt,
  createdAt: rest.createdAt,
});
