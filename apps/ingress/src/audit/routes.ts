import type { Audit, AuditCall, CallPlace, Key } from '@replenish/domain';
import type { Scope } from '@replenish/domain/rules';
import type { IRouter, Request, Response } from 'express';
import { z } from 'zod';
import { answer } from '../http/answer.js';
import { otherMethods } from '../http/methods.js';
import { accountId, optionalTime, pageLimit, text, timestamp } from '../input/fields.js';
import { readQuery } from '../input/query.js';

export type AuditRouteDeps = Readonly<{
  audit: Pick<Audit, 'list'>;
  caller: (request: Request, scope: Scope) => Promise<Key>;
}>;

export const AuditQuery = z.strictObject({
  key: z
    .string()
    .regex(/^rk_[A-Za-z0-9_]{1,64}$/, 'must be a key id')
    .optional()
    .meta({ description: 'Only with this key' }),
  account: accountId.optional().meta({ description: 'Only of this account' }),
  status: z
    .string()
    .regex(/^[1-5]\d\d$/, 'must be an HTTP status')
    .transform(Number)
    .optional()
    .meta({ type: 'integer', description: 'Only answered with this HTTP status' }),
  correlationId: text(128).optional().meta({ description: 'Only with this correlation id' }),
  from: timestamp.optional().meta({ description: 'Only at this time or later (RFC 3339)' }),
  to: timestamp.optional().meta({ description: 'Only before this time (RFC 3339)' }),
  limit: pageLimit(50),
  cursor: z
    .string()
    .regex(
      /^\d{1,14}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
      'must be the nextCursor of an earlier page',
    )
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
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
    from: optionalTime(query.from),
    to: optionalTime(query.to),
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
