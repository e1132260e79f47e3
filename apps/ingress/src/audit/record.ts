import { type AuditCall, storable } from '@replenish/domain';
import type { Request, Response } from 'express';
import { answeredStatus, type RequestContext } from '../http/call.js';
import type { AuditedNames } from '../http/operation.js';
import { redacted } from '../http/redaction.js';

// The longest kept field is `orderReference`. A body beyond 64 kB is nearly all metadata, which is not kept.
const TEXT_MAX = 255;
const BODY_MAX = 65_536;

/**
 * The row of the audit trail for one call. It holds no header. Secrets that a caller put into a parameter are redacted.
 */
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
    status: answeredStatus(response),
    code: typeof code === 'string' ? code : null,
    durationMs,
    correlationId,
  };
}

/** The key id in the Authorization header. The secret that follows it may be wrong. */
export const claimedKeyId = (request: Request): string | undefined =>
  /^Bearer (rk_[A-Za-z0-9_]{1,64})(?:\.|$)/i.exec(request.headers.authorization ?? '')?.[1];

/** The pattern of the matched route, such as `/v1/recharges/:id`. Without a match it is `-`. */
function routeOf(request: Request): string {
  const path: unknown = (request.route as { path?: unknown } | undefined)?.path;
  return typeof path === 'string' ? path : '-';
}

type Picked = Record<string, string | number>;
type Params = Readonly<Record<'path' | 'query' | 'body', Readonly<Picked>>>;

const NO_PARAMS: Readonly<Picked> = {};

const paramsOf = (request: Request, route: string, read: unknown, names: AuditedNames): Params => ({
  path: route.includes(':') ? pick(pathParams(request, route), (name) => name) : NO_PARAMS,
  query: request.url.includes('?')
    ? pick(Object.entries(request.query), (name) => (names.query.has(name) ? name : undefined))
    : NO_PARAMS,
  body: read === undefined ? unreadBody(request, names.body) : bodyParams(Object(read), names.body),
});

/**
 * The values of the path's parameters. They come from the path, because Express drops `request.params` of a refused
 * request.
 */
function pathParams(request: Request, pattern: string): [string, string][] {
  const names = pattern.split('/');
  const values = request.path.split('/');
  return names.flatMap((name, at) => (name.startsWith(':') ? [[name.slice(1), values[at] ?? '']] : []));
}

/**
 * Takes the kept fields from a parsed body. Each is read by its name, because listing all fields of the body would slow
 * every call.
 */
function bodyParams(read: Readonly<Record<string, unknown>>, names: AuditedNames['body']): Params['body'] {
  const picked: Picked = {};
  for (const [given, name] of names) if (Object.hasOwn(read, given)) put(picked, name, read[given]);
  return picked;
}

/** Takes the kept fields from the raw bytes of a body, for a request that was refused before its body was parsed. */
function unreadBody(request: Request, names: AuditedNames['body']): Params['body'] {
  const raw: unknown = request.body;
  if (!Buffer.isBuffer(raw) || raw.length > BODY_MAX || request.path.startsWith('/webhooks/'))
    return NO_PARAMS;
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
    return NO_PARAMS;
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
  if (typeof value === 'string') picked[name] = storableText(value);
  else if (typeof value === 'number') picked[name] = Number.isSafeInteger(value) ? value : String(value);
}

const accountOf = ({ body, path, query }: Params): string | null => {
  const account = body.accountId ?? path.accountId ?? query.accountId;
  return typeof account === 'string' ? account : null;
};

// Texts that need no redaction. They are too short for a card number or a secret, and lack the `_` of our keys.
const HARMLESS = /^[A-Za-z0-9:.-]{0,12}$/;

/** The text as PostgreSQL can store it, redacted: a caller may have put a secret into the wrong field. */
const storableText = (text: string): string =>
  HARMLESS.test(text) ? text : redacted(storable(text, TEXT_MAX));
