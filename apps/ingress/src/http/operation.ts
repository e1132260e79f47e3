import type { Key } from '@replenish/domain';
import type { Scope } from '@replenish/domain/rules';
import type { IRouter, Request, RequestHandler, Response } from 'express';
import type { z } from 'zod';
import type { Code } from './answers/problem.js';
import { otherMethods } from './methods.js';

/**
 * A schema under its name in the OpenAPI document, such as `{ Recharge }`. Several names: a body has one of these
 * schemas.
 */
export type NamedSchema<Value = unknown> = Readonly<Record<string, z.ZodType<Value>>>;

/** The data about an operation for the OpenAPI document. */
type Described = Readonly<{
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** The paths after the first one are other names of the same operation. */
  paths: readonly string[];
  id: string;
  tag:
    | 'recharges'
    | 'accounts'
    | 'cases'
    | 'reconciliations'
    | 'callbacks'
    | 'rules'
    | 'plans'
    | 'webhooks'
    | 'service';
  summary: string;
  description: string;
  /** Summaries of the other names, in the order of `paths`. */
  aliasSummaries?: readonly string[];
  /**
   * How the operation remembers an idempotency key in the row that it creates. `repeatable`: each request without a key
   * is a new one, and the key is sent in the header only. A verb creates no row and leaves this field out. `keyed` then
   * sets it to `kept`, because the key is kept with the answer.
   */
  idempotencyKey?: 'needed' | 'optional' | 'repeatable' | 'kept';
  /** Whether the header `Prefer: wait=N` is understood. */
  prefer?: boolean;
  /** Schema and meaning of the answer, by status. `bytes`: of any media type. `nothing`: without a body. */
  answers: Readonly<Record<number, readonly [schema: NamedSchema | 'bytes' | 'nothing', meaning: string]>>;
  /** Whether the rows of the answer can be had as text/csv, too. */
  csv?: boolean;
  /** Whether the answer can be had as a page for a browser, too. */
  page?: boolean;
  headers?: Readonly<Record<number, readonly string[]>>;
  problems: readonly Code[];
  /** The meanings of problems for this operation, where they add something to the meaning of the code. */
  meanings?: Readonly<Partial<Record<Code, string>>>;
}>;

/** The body of a POST or PUT. An operation without a declared body accepts an empty body, or one without fields. */
export type DeclaredBody<Body = unknown> = Readonly<{
  /** `xml.name` in its meta is the root element of the XML form. */
  schema: NamedSchema<Body>;
  example: Readonly<Record<string, unknown>>;
  /**
   * Set where the body may be text/csv, too. Its handler reads the bytes itself. The fields beside the rows are then
   * parameters of the query.
   */
  csv?: Readonly<{ about: string; example: string }>;
  /** The most bytes of a body. Missing: the limit of all other bodies. Only of an operation without path parameters. */
  bytesMax?: number;
  /** Fields that the audit trail keeps, with their names in the trail. */
  audited: Readonly<Record<string, string>>;
}>;

/** A call whose caller has shown a key with the scope of the operation. */
export type KeyedCall<Query = never, Body = never> = Readonly<{
  request: Request;
  response: Response;
  key: Key;
  /** The query, checked by the operation's schema. @throws Problem INVALID_ARGUMENT */
  query: () => Query;
  /** The body, checked by the operation's schema. @throws Problem INVALID_ARGUMENT */
  body: () => Body;
  /** The bytes of a body in CSV. Null: the body has another form, or the operation takes no CSV. */
  csv: () => Buffer | null;
  /**
   * For a verb: whether a request with this idempotency key has come before. `begun`: the earlier request got no
   * answer, and may have had its effect. `answered`: it got an answer, which is not kept because it is secret.
   */
  repeats: 'begun' | 'answered' | null;
}>;

/** An operation that needs a key. */
export type KeyedOperation<Deps = never> = Described &
  Readonly<{
    scope: Scope;
    /** Whether its answer has a secret, so that it is not kept with its idempotency key. */
    isSecret?: boolean;
    /** Whether the balance signature of the source document is taken, too. */
    s3?: boolean;
    /**
     * Schema of the query. An operation without one refuses every query. The audit trail keeps all parameters of the
     * schema.
     */
    query?: z.ZodObject;
    body?: DeclaredBody;
    handle: (deps: Deps, call: KeyedCall) => Promise<void>;
  }>;

/** An operation that needs no key. */
export type OpenOperation<Deps = never> = Described &
  Readonly<{
    scope?: never;
    /** Bytes of any media type. */
    body?: 'bytes';
    handle: (deps: Deps, request: Request, response: Response) => Promise<void> | void;
  }>;

export type Operation = KeyedOperation | OpenOperation;

/** Declares an operation that needs a key. Its handler gets the query and the body as the schemas give them. */
export const keyed = <Deps, Query, Body>(
  operation: Omit<KeyedOperation, 'query' | 'body' | 'handle'> &
    Readonly<{
      query?: z.ZodObject & z.ZodType<Query>;
      body?: DeclaredBody<Body>;
      handle: (deps: Deps, call: KeyedCall<Query, Body>) => Promise<void>;
    }>,
): KeyedOperation<Deps> =>
  operation.method === 'get' || operation.idempotencyKey ? operation : withKeptKey(operation);

/** A verb. It answers a repeated request with 200, or with 204 if it has nothing to say. */
function withKeptKey<Deps>(verb: KeyedOperation<Deps>): KeyedOperation<Deps> {
  const { answers, headers = {} } = verb;
  const [first] = Object.values(answers);
  const again = [
    first![0],
    'The idempotency key was used before with the same request: the first answer',
  ] as const;
  const status = answers[204] ? 204 : 200;
  return {
    ...verb,
    idempotencyKey: 'kept',
    answers: answers[status] ? answers : { [status]: again, ...answers },
    headers: { ...headers, [status]: ['Idempotent-Replayed'] },
    problems: [...new Set([...verb.problems, 'DUPLICATE_REQUEST' as const])],
    meanings: { DUPLICATE_REQUEST: 'The idempotency key was used with another request', ...verb.meanings },
  };
}

/** Problems that every call can meet. */
export const ANY_CALL = ['INVALID_ARGUMENT', 'INTERNAL_ERROR'] as const;
/** Problems that a call with a key can meet. */
export const KEYED_CALL = [...ANY_CALL, 'UNAUTHENTICATED', 'UNAUTHORIZED', 'RATE_LIMITED'] as const;

type Mounted = Pick<Described, 'method' | 'paths'>;

/** Adds a route per path. Other methods of these paths are answered 405. */
export function addRoutes<One extends Mounted>(
  router: IRouter,
  operations: readonly One[],
  handlersOf: (operation: One) => RequestHandler[],
): void {
  for (const path of new Set(operations.flatMap(({ paths }) => paths))) {
    const route = router.route(path.replace(/\{(\w+)\}/g, ':$1'));
    const here = operations.filter(({ paths }) => paths.includes(path));
    // GET comes first, so that the header Allow names it first.
    for (const operation of here.toSorted((a, b) => a.method.localeCompare(b.method)))
      route[operation.method](...handlersOf(operation));
    route.all(otherMethods);
  }
}

export const openHandler =
  <Deps>({ handle }: OpenOperation<Deps>, deps: Deps): RequestHandler =>
  (request, response) =>
    handle(deps, request, response);

/** Parameters that the audit trail keeps: of queries by name, of bodies by name with the name in the trail. */
export type AuditedNames = Readonly<{ query: ReadonlySet<string>; body: ReadonlyMap<string, string> }>;

export function auditedNames(operations: readonly Operation[]): AuditedNames {
  const keyedOnes = operations.filter((operation) => operation.scope !== undefined);
  return {
    query: new Set(keyedOnes.flatMap(({ query }) => Object.keys(query?.shape ?? {}))),
    body: new Map(keyedOnes.flatMap(({ body }) => Object.entries(body?.audited ?? {}))),
  };
}
