import type { Operation } from './openapi-operations.js';
import { type Code, codes } from './problem.js';

export type Json = Record<string, unknown>;

// By the server itself, whatever the operation: the request took too long, expects what is not done, or has too much
// in its headers.
const REFUSED_UNREAD = [408, 417, 431] as const;
const LIMITED = ['RateLimit', 'RateLimit-Policy'] as const;

/** The statuses that a code comes with; the first is its usual one. */
const statusesOf = (code: Code): readonly number[] => {
  if (code === 'INVALID_ARGUMENT') return [400, 413, 415, ...REFUSED_UNREAD];
  return code === 'INTERNAL_ERROR' ? [500, 503] : [codes[code].status];
};

export const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** XML only where the answer has a root element of its own. */
export function answersOf({ answers: byStatus, csv, scope, headers: more }: Operation): Json {
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, name]) => {
      const schema = name === 'any' ? {} : ref(name);
      const hasXml = name !== 'any' && name !== 'Health';
      const names = [
        'X-Correlation-Id',
        ...(scope ? LIMITED : []),
        ...(more?.[Number(status)] ?? []),
        ...(csv ? ['X-Next-Cursor'] : []),
      ];
      const content = {
        [name === 'any' ? '*/*' : 'application/json']: { schema },
        ...(hasXml && { 'application/xml': { schema } }),
        ...(csv && { 'text/csv': { schema: { type: 'string' } } }),
      };
      return [status, { description: descriptions[status] ?? 'Done', headers: headerRefs(names), content }];
    }),
  );
}

const descriptions: Readonly<Record<string, string>> = { 202: 'Stored', 503: 'Not ready' };

const headerRefs = (names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

export const problemsOf = ({ problems }: Operation): Json =>
  Object.fromEntries(
    [...problems.flatMap(statusesOf), ...REFUSED_UNREAD].map((status) => [
      status,
      { $ref: `#/components/responses/Problem${status}` },
    ]),
  );

/** A response for each status that some problem has. */
export function problemResponses(): Json {
  const statuses = [...new Set((Object.keys(codes) as Code[]).flatMap(statusesOf))].sort((a, b) => a - b);
  return Object.fromEntries(statuses.map((status) => [`Problem${status}`, problem(status)]));
}

function problem(status: number): Json {
  const having = (Object.keys(codes) as Code[]).filter((code) => statusesOf(code).includes(status));
  const example = {
    type: `/docs/errors/${having[0]}`,
    title: codes[having[0]!].title,
    status,
    detail: 'amount: must be a positive integer of minor units, in digits',
    code: having[0],
    correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
  };
  return {
    description: having.map((code) => `${code}: ${codes[code].title}`).join('; '),
    headers: headerRefs(problemHeaders(status)),
    content: {
      'application/problem+json': { schema: ref('Problem'), ...(status === 400 && { example }) },
      'application/problem+xml': { schema: ref('Problem') },
    },
  };
}

// Refused before anybody knows who calls, so that no limit counts it.
const UNCOUNTED = [401, 413, ...REFUSED_UNREAD];

const problemHeaders = (status: number): string[] => [
  'X-Correlation-Id',
  ...(UNCOUNTED.includes(status) ? [] : LIMITED),
  ...(status === 401 ? ['WWW-Authenticate'] : []),
  ...([403, 429, 503].includes(status) ? ['Retry-After'] : []),
];

const plain = (description: string): Json => ({ description, schema: { type: 'string' } });
export const headers: Json = {
  'X-Correlation-Id': plain('Name it when you ask us about this call'),
  Location: plain('Where the recharge can be read'),
  'Idempotent-Replayed': plain('`true` when the key was seen before'),
  'Retry-After': plain('Seconds to wait. With 403 only while the key is locked'),
  'WWW-Authenticate': plain('`Bearer`, where a key would help: not with webhooks'),
  RateLimit: plain('Where a limit applies: requests left (`r`), and seconds until they are more (`t`)'),
  'RateLimit-Policy': plain('Where a limit applies: requests (`q`) in a window of seconds (`w`)'),
  'X-Next-Cursor': plain('With text/csv: the cursor of the next page'),
};
