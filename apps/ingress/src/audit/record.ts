import { type AuditCall, storable } from '@replenish/domain';
import type { Request, Response } from 'express';
import { type RequestContext, statusTold } from '../http/call.js';
import type { AuditedNames } from '../http/operation.js';
import { redacted } from '../http/redaction.js';

// The longest of these fields is an order reference. A body beyond 64 kB is all metadata, and none of that is kept.
const TEXT_MAX = 255;
const BODY_MAX = 65_536;

/** What the trail keeps of one call. No header is in it, and no secret that was put where none belongs. */
export function recordOf(
  request: Request,
  response: Response,
  call: RequestContext,
  { id, names }: Readonly<{ id: string; names: AuditedNames }>,
): AuditCall {
  const { at, ip, durationMs, key, problem, read, correlationId } = call;
  const route = routeOf(request);
  const params = paramsOf(request, route, read, names);
  const code = response.statusCode < 400 ? null : (problem as { code?: unknown } | undefined)?.code;
  return {
    id,
    at,
    ip,
    clientId: key?.clientId ?? null,
    keyId: key?.keyId ?? claimedKeyId(request) ?? null,
    method: request.method,
    route,
    params,
    accountId: accountOf(params),
    status: statusTold(response),
    code: typeof code === 'string' ? code : null,
    durationMs,
    correlationId,
  };
}

/** The key that the caller names, be the secret right or wrong. */
export const claimedKeyId = (request: Request): string | undefined =>
  /^Bearer (rk_[A-Za-z0-9_]{1,64})(?:\.|$)/i.exec(request.headers.authorization ?? '')?.[1];

/** The pattern that matched. A route with several is named by the path, which then is one of them. */
function routeOf(request: Request): string {
  const path: unknown = (request.route as { path?: unknown } | undefined)?.path;
  if (typeof path === 'string') return path;
  if (Array.isArray(path) && path.includes(request.path)) return request.path;
  return path === undefined ? '-' : kept(request.path);
}

type Picked = Record<string, string | number>;
type Params = Readonly<Record<'path' | 'query' | 'body', Readonly<Picked>>>;

const NONE: Readonly<Picked> = {};

const paramsOf = (request: Request, route: string, read: unknown, names: AuditedNames): Params => ({
  path: route.includes(':') ? pick(pathParams(request, route), (name) => name) : NONE,
  query: request.url.includes('?')
    ? pick(Object.entries(request.query), (name) => (names.query.has(name) ? name : undefined))
    : NONE,
  body: read === undefined ? unreadBody(request, names.body) : bodyParams(Object(read), names.body),
});

/** By comparing pattern and path: of a request that was refused Express has forgotten them by now. */
function pathParams(request: Request, pattern: string): [string, string][] {
  const names = pattern.split('/');
  const values = request.path.split('/');
  return names.flatMap((name, at) => (name.startsWith(':') ? [[name.slice(1), values[at] ?? '']] : []));
}

/** Of every call there is: no list of all that the body holds is made for it. */
function bodyParams(read: Readonly<Record<string, unknown>>, names: AuditedNames['body']): Params['body'] {
  const picked: Picked = {};
  for (const [given, name] of names) if (Object.hasOwn(read, given)) put(picked, name, read[given]);
  return picked;
}

/** Of a body that nobody has read, because its caller was turned away or it could not be. */
function unreadBody(request: Request, names: AuditedNames['body']): Params['body'] {
  const raw: unknown = request.body;
  if (!Buffer.isBuffer(raw) || raw.length > BODY_MAX || request.path.startsWith('/webhooks/')) return NONE;
  const text = raw.toString();
  if (text.trimStart().startsWith('<')) {
    const field = new RegExp(`<(${[...names.keys()].join('|')})>([^<]+)(?=<)`, 'g');
    return pick(
      [...text.matchAll(field)].map(([, name, value]) => [name!, value]),
      (name) => names.get(name),
    );
  }
  try {
    return bodyParams(Object(JSON.parse(text)), names);
  } catch {
    return NONE;
  }
}

function pick(
  entries: readonly (readonly [string, unknown])[],
  nameOf: (name: string) => string | undefined,
): Params['body'] {
  const picked: Picked = {};
  for (const [given, value] of entries) {
    const name = nameOf(given);
    if (name !== undefined) put(picked, name, value);
  }
  return picked;
}

function put(picked: Picked, name: string, value: unknown): void {
  if (typeof value === 'string') picked[name] = kept(value);
  else if (typeof value === 'number') picked[name] = Number.isSafeInteger(value) ? value : String(value);
}

const accountOf = ({ body, path, query }: Params): string | null => {
  const account = body.accountId ?? path.accountId ?? query.accountId;
  return typeof account === 'string' ? account : null;
};

// Too short for a card number, and of no character that a secret's name could end in.
const HARMLESS = /^[A-Za-z0-9:.-]{0,12}$/;

/** As the store takes it; and a secret in the wrong place is a secret still. */
const kept = (text: string): string => (HARMLESS.test(text) ? text : redacted(storable(text, TEXT_MAX)));
