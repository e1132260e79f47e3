import { type Code, codes } from '../http/answers/problem.js';
import type { NamedSchema, Operation } from '../http/operation.js';
import { details } from './details.js';
import { Problem } from './schemas.js';

export type Json = Record<string, unknown>;

// Statuses that the HTTP server itself answers, for each operation: a request that took too long, an unknown Expect,
// headers that are too large.
const REFUSED_UNREAD = [408, 417, 431] as const;
const LIMITED = ['RateLimit', 'RateLimit-Policy'] as const;

/** The statuses of a code. The first one is the usual one. */
const statusesOf = (code: Code): readonly number[] => {
  if (code === 'INVALID_ARGUMENT') return [400, 413, 415, ...REFUSED_UNREAD];
  return code === 'INTERNAL_ERROR' ? [500, 503] : [codes[code].status];
};

/** Refers to a schema, or to each of several. */
export function refTo(named: NamedSchema): Json {
  const refs = Object.keys(named).map((name) => ({ $ref: `#/components/schemas/${name}` }));
  return refs.length === 1 ? refs[0]! : { oneOf: refs };
}

/** Whether the XML form has a root element. */
const hasRoot = (named: NamedSchema): boolean => Object.values(named)[0]!.meta()?.xml !== undefined;

/** The answers of an operation by status. XML is listed only for answers with a root element. */
export function answersOf(operation: Operation): Json {
  const { answers: byStatus, csv, page, scope, headers: more } = operation;
  const isPaged = csv && 'cursor' in (operation.scope === undefined ? {} : (operation.query?.shape ?? {}));
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, [named, description]]) => {
      if (named === 'nothing')
        return [
          status,
          { description, headers: headerRefs(['X-Correlation-Id', ...(scope ? LIMITED : [])]) },
        ];
      const schema = named === 'bytes' ? ANYTHING : refTo(named);
      const names = [
        'X-Correlation-Id',
        ...(scope ? LIMITED : []),
        ...(more?.[Number(status)] ?? []),
        ...(isPaged ? ['X-Next-Cursor'] : []),
      ];
      const content = {
        ...(!(named === 'bytes' && csv) && { [named === 'bytes' ? '*/*' : 'application/json']: { schema } }),
        ...(named !== 'bytes' && hasRoot(named) && { 'application/xml': { schema } }),
        ...(csv && {
          'text/csv': { schema: { type: 'string', description: 'The rows, with a line of names' } },
        }),
        ...(page && { 'text/html': { schema: { type: 'string', description: 'A page to print' } } }),
      };
      return [status, { description, headers: headerRefs(names), content }];
    }),
  );
}

const headerRefs = (names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** The problems of an operation: references to the shared responses, with the operation's own meanings. */
export const problemsOf = ({ problems, meanings = {} }: Operation): Json =>
  Object.fromEntries(
    [...problems.flatMap(statusesOf), ...REFUSED_UNREAD].map((status) => {
      const own = problems.flatMap((code) => (statusesOf(code)[0] === status && meanings[code]) || []);
      const description = own.length > 0 ? { description: own.join('. ') } : {};
      return [status, { $ref: `#/components/responses/Problem${status}`, ...description }];
    }),
  );

export const ANYTHING: Json = { description: 'Bytes of any media type' };

/** The meaning of each status. A code can have several statuses. */
const meaningOf: Readonly<Record<number, string>> = {
  400: 'The request is not valid: `errors` names each field, parameter or header at fault',
  401: 'The caller could not be identified: key, secret, signature, timestamp or nonce is wrong',
  402: 'The available balance does not cover the amount',
  403: 'The key may not do this: it lacks the scope, does not cover the account, or is locked',
  404: 'Not found',
  405: 'The path does not have this method; `Allow` names those it has',
  408: 'The request did not arrive in time',
  409: 'The present state does not allow this',
  413: 'The body is too large',
  415: 'The media type, the character set or the encoding of the body is not supported',
  417: 'The header `Expect` is not supported, other than with `100-continue`',
  422: 'The idempotency key was used with another request',
  429: 'A limit of requests per minute is reached; repeat after `Retry-After` with the same idempotency key',
  431: 'The headers are too large',
  500: 'Unexpected error; quote the correlation id. Repeat with the same idempotency key',
  503: 'Overloaded, or the database does not answer; repeat after `Retry-After` with the same idempotency key',
};

/** The shared responses: one per status. */
export function problemResponses(): Json {
  const statuses = [...new Set((Object.keys(codes) as Code[]).flatMap(statusesOf))].sort((a, b) => a - b);
  return Object.fromEntries(statuses.map((status) => [`Problem${status}`, problem(status)]));
}

function problem(status: number): Json {
  const having = (Object.keys(codes) as Code[]).filter((code) => statusesOf(code).includes(status));
  const [code] = having;
  const example = {
    type: `https://pay.example/docs/errors/${code}`,
    title: codes[code!].title,
    status,
    detail: status === codes[code!].status ? details[code!] : meaningOf[status],
    code,
    correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
  };
  return {
    description: `${having.join(', ')}. ${meaningOf[status]}`,
    headers: headerRefs(problemHeaders(status)),
    content: {
      'application/problem+json': { schema: refTo({ Problem }), example },
      'application/problem+xml': { schema: refTo({ Problem }) },
    },
  };
}

// Statuses that no rate limit counts, because the request is refused before the caller is known.
const UNCOUNTED = [401, 413, ...REFUSED_UNREAD];

const problemHeaders = (status: number): string[] => [
  'X-Correlation-Id',
  ...(UNCOUNTED.includes(status) ? [] : LIMITED),
  ...(status === 401 ? ['WWW-Authenticate'] : []),
  ...([403, 429, 503].includes(status) ? ['Retry-After'] : []),
];

const plain = (description: string, example: string): Json => ({
  description,
  schema: { type: 'string' },
  example,
});
export const headers: Json = {
  'X-Correlation-Id': plain('Quote it when you ask about this call', '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10'),
  Location: plain('Where the recharge can be read', '/v1/recharges/01a2122d-35de-70af-9927-1ae329a0e10b'),
  'Idempotent-Replayed': plain(
    '`true` when the idempotency key was used before, or when a verb without a key had happened before',
    'true',
  ),
  'Retry-After': plain('Seconds to wait. With 403 only while the key is locked for this address', '1'),
  'WWW-Authenticate': plain('`Bearer`, where a key would help: not with webhooks', 'Bearer'),
  RateLimit: plain(
    'Where a limit applies: requests left (`r`), and seconds until there are more (`t`)',
    '"client";r=599;t=42',
  ),
  'RateLimit-Policy': plain(
    'Where a limit applies: requests (`q`) in a window of seconds (`w`)',
    '"client";q=600;w=60',
  ),
  'X-Next-Cursor': plain('With text/csv: the cursor of the next page', 'AaISLTXecK-ZJxrjKaDhCw'),
};
