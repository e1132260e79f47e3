import type { Audit, AuditCall, CallPlace } from '@replenish/domain';
import type { z } from 'zod';
import { answer } from '../http/answers/answer.js';
import type { KeyedCall } from '../http/operation.js';
import { optionalTime } from '../input/fields.js';
import type { AuditQuery } from './input.js';

export type AuditDeps = Readonly<{ audit: Pick<Audit, 'list'> }>;

/** Lists the calls of the caller's client, newest first. */
export async function list({ audit }: AuditDeps, call: KeyedCall<z.infer<typeof AuditQuery>>): Promise<void> {
  const { request, response, key } = call;
  const query = call.query();
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
