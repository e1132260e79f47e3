import type { Request } from 'express';
import { z } from 'zod';
import { invalid } from '../http/problem.js';
import { validated } from './fields.js';

// No route has as many. Node's parser drops what follows the thousandth `&` and says nothing.
const PARAMETERS_MAX = 50;

const NoQuery = z.strictObject({});

/** The query of a request. @throws Problem INVALID_ARGUMENT that names the parameters at fault */
export function readQuery<T>(schema: z.ZodType<T>, request: Request): T {
  const { url } = request;
  const at = url.indexOf('?');
  if (at >= 0) refuseUnreadable(url.slice(at + 1));
  return validated(schema, { ...request.query });
}

/** For routes without parameters: one that is ignored could be a `dryRun`, and money would move. @throws Problem */
export function refuseQuery(request: Request): void {
  if (request.url.includes('?')) readQuery(NoQuery, request);
}

/** @throws Problem for a query that the parser reads as another one than was sent */
function refuseUnreadable(query: string): void {
  if (query.split('&', PARAMETERS_MAX + 1).length > PARAMETERS_MAX)
    throw invalid({ path: '', message: `the query has more than ${PARAMETERS_MAX} parameters` });
  if (query.includes('%')) refuseOtherBytes(query);
}

/** Express reads bytes that are no UTF-8 as U+FFFD: another text than was sent, and one that might be found. */
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
