import type { Audit, AuditCall, CallPlace, Key } from '@replenish/domain';
import type { IRouter, Request, Response } from 'express';
import { z } from 'zod';
import { answer } from './answer.js';
import type { Scope } from './caller.js';
import { otherMethods } from './methods.js';
import { readQuery } from './query.js';
import { accountId, pageLimit, text, timestamp } from './recharge-input.js';

export type AuditRouteDeps = Readonly<{
  audit: Pick<Audit, 'list'>;
  caller: (request: Request, scope: Scope) => Promise<Key>;
}>;

export const AuditQuery = z.strictObject({
  key: z
    .string()
    .regex(/^rk_[A-Za-z0-9_]{1,64}$/, 'is not a key id')
    .optional(),
  account: accountId.optional(),
  status: z
    .string()
    .regex(/^[1-5]\d\d$/, 'is not an HTTP status')
    .transform(Number)
    .optional(),
  correlationId: text(128).optional(),
  from: timestamp.optional(),
  to: timestamp.optional(),
  limit: pageLimit(50),
  cursor: z
    .string()
    .regex(
      /^\d{1,14}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'must be the nextCursor of an earlier page',
    )
    .optional(),
});

export function addAuditRoutes(router: IRouter, deps: AuditRouteDeps): void {
  router
    .route('/v1/audit')
    .get((request, response) => list(deps, request, response))
    .all(otherMethods);
}

/** The calls of the caller's own client, newest first. */
async function list({ audit, caller }: AuditRouteDeps, request: Request, response: Response): Promise<void> {
  const key = await caller(request, 'audit:read');
  const query = readQuery(AuditQuery, request);
  const { calls, next } = await audit.list({
    clientId: key.clientId,
    limit: query.limit,
    keyId: query.key,
    accountId: query.account,
    status: query.status,
    correlationId: query.correlationId,
    from: query.from === undefined ? undefined : new Date(query.from),
    to: query.to === undefined ? undefined : new Date(query.to),
    before: query.cursor === undefined ? undefined : placeOf(query.cursor),
  });
  const nextCursor = next && cursorOf(next);
  answer(request, response, 'calls', { data: calls.map(bodyOf), nextCursor });
}

const bodyOf = ({ id, clientId: _, ...call }: AuditCall) => ({ callId: id, ...call });

const cursorOf = ({ at, id }: CallPlace): string => `${at.getTime()}.${id}`;

function placeOf(cursor: string): CallPlace {
  const [ms, id] = cursor.split('.');
  return { at: new Date(Number(ms)), id: id! };
}
