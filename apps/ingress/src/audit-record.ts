import type { AuditCall, Key } from '@replenish/domain';
import type { Request, Response } from 'express';
import { redacted } from './redaction.js';

/** Left in `response.locals` by whoever learns it, for whoever files the call. */
export type CallLocals = {
  correlationId: string;
  key?: Key;
  problem?: unknown;
  /** The body as it was read, when it was. */
  read?: unknown;
};

/** Parameters that may stand in the trail, by the name they have there. Whatever is not named here is left out. */
const bodyFields: Readonly<Record<string, string>> = {
  accountId: 'accountId',
  account_id: 'accountId',
  amount: 'amount',
  currency: 'currency',
  paymentMethod: 'paymentMethod',
  payment_method: 'paymentMethod',
  orderReference: 'orderReference',
};
const queryFields = new Set([
  ...['accountId', 'currency', 'status', 'orderReference', 'createdFrom', 'createdTo'],
  ...['from', 'to', 'limit', 'cursor', 'key', 'account'],
]);

// The longest of these fields is an order reference. A body beyond 64 kB is all metadata, and none of that is kept.
const TEXT_MAX = 255;
const BODY_MAX = 65_536;
// nginx's number for a client that left before it was answered.
const CLIENT_GONE = 499;

/** What the trail keeps of one call. No header is in it, and no secret that was put where none belongs. */
export function recordOf(
  request: Request,
  response: Response,
  call: Readonly<{ id: string; at: Date; durationMs: number }>,
): AuditCall {
  const { correlationId, key, problem } = response.locals as CallLocals;
  const params = paramsOf(request, response.locals as CallLocals);
  const code = (problem as { code?: unknown } | undefined)?.code;
  return {
    ...call,
    ip: (request.ip ?? '').replace(/^::ffff:/, ''),
    clientId: key?.clientId ?? null,
    keyId: key?.keyId ?? claimedKeyId(request) ?? null,
    method: request.method,
    route: routeOf(request),
    params,
    accountId: accountOf(params),
    status: statusOf(response),
    code: typeof code === 'string' && response.statusCode >= 400 ? code : null,
    correlationId,
  };
}

/** What the caller was answered, or that it left before. */
export const statusOf = (response: Response): number =>
  response.headersSent ? response.statusCode : CLIENT_GONE;

/** The key that the caller names, be the secret right or wrong. */
export const claimedKeyId = (request: Request): string | undefined =>
  /^Bearer (rk_[A-Za-z0-9_]{1,64})(?:\.|$)/i.exec(request.headers.authorization ?? '')?.[1];

/** The pattern that matched. A route with several is named by the path, which then is one of them. */
export function routeOf(request: Request): string {
  const path: unknown = (request.route as { path?: unknown } | undefined)?.path;
  if (typeof path === 'string') return path;
  if (Array.isArray(path) && path.includes(request.path)) return request.path;
  return path === undefined ? '-' : kept(request.path);
}

type Params = Readonly<Record<'path' | 'query' | 'body', Readonly<Record<string, string | number>>>>;

const paramsOf = (request: Request, { read }: CallLocals): Params => ({
  path: pick(pathParams(request), (name) => name),
  query: request.url.includes('?') ? pick(Object.entries(request.query), queryField) : {},
  body: read === undefined ? unreadBody(request) : pick(Object.entries(Object(read)), bodyField),
});

/** By comparing pattern and path: of a request that was refused Express has forgotten them by now. */
function pathParams(request: Request): [string, string][] {
  const pattern = routeOf(request);
  if (!pattern.includes(':')) return [];
  const names = pattern.split('/');
  const values = request.path.split('/');
  return names.flatMap((name, at) => (name.startsWith(':') ? [[name.slice(1), values[at] ?? '']] : []));
}

const queryField = (name: string) => (queryFields.has(name) ? name : undefined);
const bodyField = (name: string) => (Object.hasOwn(bodyFields, name) ? bodyFields[name] : undefined);

/** Of a body that nobody has read, because its caller was turned away or it could not be. */
function unreadBody(request: Request): Params['body'] {
  const raw: unknown = request.body;
  if (!Buffer.isBuffer(raw) || raw.length > BODY_MAX || request.path.startsWith('/webhooks/')) return {};
  const text = raw.toString();
  if (text.trimStart().startsWith('<')) {
    return pick(
      [...text.matchAll(/<([A-Za-z_]{6,14})>([^<]+)(?=<)/g)].map(([, name, value]) => [name!, value]),
      bodyField,
    );
  }
  try {
    return pick(Object.entries(JSON.parse(text) as object), bodyField);
  } catch {
    return {};
  }
}

function pick(
  entries: readonly (readonly [string, unknown])[],
  nameOf: (name: string) => string | undefined,
): Params['body'] {
  const picked: Record<string, string | number> = {};
  for (const [given, value] of entries) {
    const name = nameOf(given);
    if (name === undefined) continue;
    if (typeof value === 'string') picked[name] = kept(value);
    else if (typeof value === 'number') picked[name] = Number.isSafeInteger(value) ? value : String(value);
  }
  return picked;
}

const accountOf = ({ body, path, query }: Params): string | null => {
  const account = body.accountId ?? path.accountId ?? query.accountId;
  return typeof account === 'string' ? account : null;
};

// Too short for a card number, and of no character that a secret's name could end in.
const HARMLESS = /^[A-Za-z0-9:.-]{0,12}$/;

/** Postgres takes neither NUL nor half a surrogate pair; and a secret in the wrong place is a secret still. */
const kept = (text: string): string => (HARMLESS.test(text) ? text : clean(text));

const clean = (text: string): string =>
  redacted(
    text
      .slice(0, TEXT_MAX)
      .replace(/\0/g, '\u2400')
      .replace(/\p{Surrogate}/gu, '\ufffd'),
  );
