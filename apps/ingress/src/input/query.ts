import type { Request } from 'express';
import { z } from 'zod';
import { invalid } from '../http/answers/problem.js';
import { validated } from './fields.js';

// The most parameters of a query. No route has as many. Node's parser silently drops parameters after the thousandth.
const PARAMETERS_MAX = 50;

const NoQuery = z.strictObject({});

/** Reads the query of a request. @throws Problem INVALID_ARGUMENT that names the parameters at fault */
export function readQuery<T>(schema: z.ZodType<T>, request: Request): T {
  const { url } = request;
  const at = url.indexOf('?');
  if (at >= 0) refuseUnreadable(url.slice(at + 1));
  return validated(schema, { ...request.query });
}

/** Refuses every query parameter. If a route ignored `preview=true`, it would move money. @throws Problem */
export function refuseQuery(request: Request): void {
  if (request.url.includes('?')) readQuery(NoQuery, request);
}

/** @throws Problem for a query that the parser would change */
function refuseUnreadable(query: string): void {
  if (query.split('&', PARAMETERS_MAX + 1).length > PARAMETERS_MAX)
    throw invalid({ path: '', message: `the query has more than ${PARAMETERS_MAX} parameters` });
  if (query.includes('%')) refuseOtherBytes(query);
}

/** Express turns bytes that are not UTF-8 into U+FFFD. The changed text could match other rows. */
function refuseOtherBytes(query: string): void {
  if (isUtf8(query)) return;
  const part = query.split('&').find((one) => !isUtf8(one)) ?? query;
  throw invalid({ path: part.split('=')[0]!, message: 'must be percent-encoded UTF-8' });
}

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    return false;
  }
}
