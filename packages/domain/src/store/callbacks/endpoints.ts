import type { Database } from '../database/database.js';
import { codeOf, persist } from '../database/failure.js';
import { isUuid } from '../database/storable.js';
import { CALLBACK_OVERLAP_MS, type CallbackDeps, newCallbackSecret, secretsOf } from './secrets.js';

/** An address that events are posted to. */
export type CallbackEndpoint = Readonly<{
  id: string;
  clientId: string;
  url: string;
  /** The types of events. Empty: all. */
  events: readonly string[];
  status: 'active' | 'disabled';
  /** GONE: the receiver answered 410. FAILING: nothing arrived there for days. */
  disabledBecause: 'GONE' | 'FAILING' | null;
  disabledAt: Date | null;
  createdAt: Date;
  previousValidUntil: Date | null;
}>;

export type NewCallbackEndpoint = Readonly<{
  clientId: string;
  url: string;
  events: readonly string[];
  /** The accounts whose events it hears, as patterns of SQL. */
  accounts: readonly string[];
  idempotencyKey: string | null;
}>;

/** An endpoint with its secret, or the client's secret alone. */
export type ShownSecret = Readonly<{ secret: string; createdAt: Date; previousValidUntil: Date | null }>;
export type EndpointWithSecret = Readonly<{ endpoint: CallbackEndpoint; secret: string }>;
/** @property replayed the idempotency key made it before */
export type CreatedEndpoint = EndpointWithSecret & Readonly<{ replayed: boolean }>;

export type EndpointProblem = 'key_used_with_other_body' | 'too_many_endpoints';

// The most endpoints of a client. Each event is stored once per endpoint that hears it.
const ENDPOINTS_MAX = 2_000;

type EndpointRow = Awaited<ReturnType<Database['callbackEndpoint']['findMany']>>[number];

const shownOf = (row: EndpointRow): CallbackEndpoint => ({
  id: row.id,
  clientId: row.clientId,
  url: row.url,
  events: row.events,
  status: row.status as CallbackEndpoint['status'],
  disabledBecause: row.disabledBecause as CallbackEndpoint['disabledBecause'],
  disabledAt: row.disabledAt,
  createdAt: row.createdAt,
  previousValidUntil: row.previousValidUntil,
});

const isTaken = (error: unknown): boolean => ['23505', 'P2002'].includes(codeOf(error) ?? '');
const kept = { status: { not: 'deleted' } } as const;

/** Stores an endpoint with a new secret. A repeated idempotency key answers with the first request's endpoint. */
export async function createEndpoint(
  deps: CallbackDeps,
  asked: NewCallbackEndpoint,
): Promise<CreatedEndpoint | EndpointProblem> {
  const before = await byKey(deps, asked);
  if (before) return before;
  const { db } = deps.store;
  const count = await persist(() =>
    db.callbackEndpoint.count({ where: { clientId: asked.clientId, ...kept } }),
  );
  if (count >= ENDPOINTS_MAX) return 'too_many_endpoints';
  const id = deps.newId();
  const secret = newCallbackSecret();
  const data = {
    ...asked,
    id,
    events: [...asked.events],
    accounts: [...asked.accounts],
    secretSealed: bytes(secretsOf(deps.vault, id).seal(secret)),
  };
  try {
    const row = await persist(() => db.callbackEndpoint.create({ data }));
    return { endpoint: shownOf(row), secret, replayed: false };
  } catch (error) {
    const first = isTaken(error) ? await byKey(deps, asked) : null;
    if (first) return first;
    throw error;
  }
}

async function byKey(
  { store, vault }: CallbackDeps,
  { clientId, idempotencyKey, url, events }: NewCallbackEndpoint,
): Promise<CreatedEndpoint | EndpointProblem | null> {
  if (idempotencyKey === null) return null;
  const row = await persist(() =>
    store.db.callbackEndpoint.findFirst({ where: { clientId, idempotencyKey } }),
  );
  if (!row) return null;
  const isSame = row.url === url && row.events.toSorted().join() === [...events].toSorted().join();
  if (!isSame) return 'key_used_with_other_body';
  return { endpoint: shownOf(row), secret: secretsOf(vault, row.id).open(row.secretSealed), replayed: true };
}

export async function endpointsOf({ store }: CallbackDeps, clientId: string): Promise<CallbackEndpoint[]> {
  const where = { clientId, ...kept };
  const rows = await persist(() => store.db.callbackEndpoint.findMany({ where, orderBy: { id: 'desc' } }));
  return rows.map(shownOf);
}

export async function endpointOf(
  { store }: CallbackDeps,
  clientId: string,
  id: string,
): Promise<CallbackEndpoint | null> {
  if (!isUuid(id)) return null;
  const row = await persist(() => store.db.callbackEndpoint.findFirst({ where: { id, clientId, ...kept } }));
  return row && shownOf(row);
}

/** A request for a new secret. */
export type Rotation = Readonly<{
  /** The idempotency key of the request. A request with the key of the last rotation changes nothing. */
  key: string | null;
  /** Whether the request was answered before. Then nothing changes, and the present secret is shown. */
  isOver: boolean;
}>;

/** Gives an endpoint a new secret. */
export async function rotateEndpoint(
  deps: CallbackDeps,
  { clientId, id, rotation }: Readonly<{ clientId: string; id: string; rotation: Rotation }>,
): Promise<EndpointWithSecret | null> {
  const { db } = deps.store;
  if (!isUuid(id)) return null;
  const row = await persist(() => db.callbackEndpoint.findFirst({ where: { id, clientId, ...kept } }));
  if (!row) return null;
  const secrets = secretsOf(deps.vault, id);
  if (isOver(rotation, row)) return { endpoint: shownOf(row), secret: secrets.open(row.secretSealed) };
  const secret = newCallbackSecret();
  const data = rotated(row, secrets.seal(secret), { rotationKey: rotation.key, now: deps.now() });
  const { count } = await persist(() =>
    db.callbackEndpoint.updateMany({ where: { id, secretSealed: row.secretSealed }, data }),
  );
  if (count === 0) return rotateEndpoint(deps, { clientId, id, rotation });
  return { endpoint: { ...shownOf(row), previousValidUntil: data.previousValidUntil }, secret };
}

const isOver = (rotation: Rotation, { rotationKey }: Pick<EndpointRow, 'rotationKey'>): boolean =>
  rotation.isOver || (rotation.key !== null && rotation.key === rotationKey);

const rotated = (
  before: Pick<EndpointRow, 'secretSealed'>,
  sealed: Uint8Array,
  { rotationKey, now }: Readonly<{ rotationKey: string | null; now: Date }>,
) => ({
  secretSealed: bytes(sealed),
  previousSecretSealed: before.secretSealed,
  previousValidUntil: new Date(now.getTime() + CALLBACK_OVERLAP_MS),
  rotationKey,
});

/** The secret of a client for the `callbackUrl` of its recharges. It is made when it is first needed. */
export async function clientSecret(deps: CallbackDeps, clientId: string): Promise<ShownSecret> {
  const row = await secretRow(deps, clientId);
  const { createdAt, previousValidUntil } = row;
  return { secret: secretsOf(deps.vault, clientId).open(row.secretSealed), createdAt, previousValidUntil };
}

export async function rotateClientSecret(
  deps: CallbackDeps,
  clientId: string,
  rotation: Rotation,
): Promise<ShownSecret> {
  const row = await secretRow(deps, clientId);
  const secrets = secretsOf(deps.vault, clientId);
  if (isOver(rotation, row)) return { ...row, secret: secrets.open(row.secretSealed) };
  const secret = newCallbackSecret();
  const now = deps.now();
  const data = { ...rotated(row, secrets.seal(secret), { rotationKey: rotation.key, now }), createdAt: now };
  const where = { clientId, secretSealed: row.secretSealed };
  const { count } = await persist(() => deps.store.db.callbackSecret.updateMany({ where, data }));
  if (count === 0) return rotateClientSecret(deps, clientId, rotation);
  return { secret, createdAt: now, previousValidUntil: data.previousValidUntil };
}

export async function secretRow({ store, vault }: CallbackDeps, clientId: string) {
  const found = await persist(() => store.db.callbackSecret.findUnique({ where: { clientId } }));
  if (found) return found;
  const secretSealed = bytes(secretsOf(vault, clientId).seal(newCallbackSecret()));
  await persist(() =>
    store.db.callbackSecret.createMany({ data: [{ clientId, secretSealed }], skipDuplicates: true }),
  );
  return persist(() => store.db.callbackSecret.findUniqueOrThrow({ where: { clientId } }));
}

/** Prisma's type of bytes. */
const bytes = (from: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(from);
