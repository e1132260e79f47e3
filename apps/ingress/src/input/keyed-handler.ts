import type { AnsweredKeys, Key } from '@replenish/domain';
import type { Scope } from '@replenish/domain/rules';
import type { Request, RequestHandler } from 'express';
import { z } from 'zod';
import { once } from '../http/once.js';
import type { DeclaredBody, KeyedCall, KeyedOperation } from '../http/operation.js';
import { answerOnce } from './answer-once.js';
import { csvBody, parsedBody } from './bodies/body.js';
import { validated } from './fields.js';
import { readQuery, refuseQuery } from './query.js';
import { refuseUnsupported } from './unsupported.js';

/** Finds the caller's key and requires the scope. @throws Problem when the caller is refused */
export type Caller = (request: Request, scope: Scope) => Promise<Key>;

/** Requires the operation's scope, then runs its handler. */
export function keyedHandler<Deps>(
  operation: KeyedOperation<Deps>,
  deps: Deps,
  { caller, answeredKeys }: Readonly<{ caller: Caller; answeredKeys: AnsweredKeys }>,
): RequestHandler {
  const readBody = bodyReader(operation);
  const { method, scope, query } = operation;
  // The type of `keyed` makes sure that the handler takes what these schemas give.
  const run = (call: KeyedCall<unknown, unknown>) => operation.handle(deps, call as KeyedCall);
  const handle = operation.idempotencyKey === 'kept' ? answerOnce(answeredKeys, operation, run) : run;
  return async (request, response) => {
    const key = await caller(request, scope);
    if (!query) refuseQuery(request);
    if (method !== 'get') refuseUnsupported(request);
    const call: KeyedCall<unknown, unknown> = {
      request,
      response,
      key,
      query: () => readQuery(query ?? NOT_DECLARED, request),
      body: once(() => readBody(request)),
      csv: () => (operation.body?.csv ? csvBody(request) : null),
      repeats: null,
    };
    return handle(call);
  };
}

const NOT_DECLARED = z.never();

function bodyReader({ body, paths }: KeyedOperation): (request: Request) => unknown {
  const [schema, root] = body ? schemaOf(body) : [NoFields, paths[0]!.split('/').at(-1)!];
  return (request) => {
    const isEmpty = !Buffer.isBuffer(request.body) || request.body.length === 0;
    return body || !isEmpty ? validated(schema, parsedBody(request, root)) : {};
  };
}

const NoFields = z.strictObject({});

function schemaOf({ schema: named }: DeclaredBody): [schema: z.ZodType, root: string] {
  const [schema] = Object.values(named);
  const { name } = schema!.meta()!.xml as { name: string };
  return [schema!, name];
}
