import type { Audit, AuditCall, Key } from '@replenish/domain';
import type { IRouter, Request, Response } from 'express';
import { z } from 'zod';
import { answer } from './answer.js';
import type { Scope } from './caller.js';
import { otherMethods } from './methods.js';
import { readQuery } from './query.js';
import { accountId, pageLimit, timestamp } from './recharge-input.js';

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
  const rows = await audit.list({
    clientId: key.clientId,
    limit: query.limit + 1,
    ...(query.key !== undefined && { keyId: query.key }),
    ...(query.account !== undefined && { accountId: query.account }),
    ...(query.status !== undefined && { status: query.status }),
    ...(query.from && { from: new Date(query.from) }),
    ...(query.to && { to: new Date(query.to) }),
    ...(query.cursor && { before: placeOf(query.cursor) }),
  });
  const page = rows.slice(0, query.limit);
  const nextCursor = rows.length > query.limit ? cursorOf(page.at(-1)!) : null;
  answer(request, response, 'calls', { data: page.map(bodyOf), nextCursor });
}

const bodyOf = ({ id, clientId: _, ...call }: AuditCall) => ({ callId: id, ...call });

const cursorOf = ({ at, id }: AuditCall): string => `${at.getTime()}.${id}`;

function placeOf(cursor: string): { at: Date; id: string } {
  const [ms, id] = cursor.split('.');
  return { at: new Date(Number(ms)), id: id! };
}
