import type { Request } from 'express';
import type { z } from 'zod';
import { invalid } from './problem.js';
import { validated } from './recharge-input.js';

/** The query of a request. @throws Problem INVALID_ARGUMENT that names the parameters at fault */
export function readQuery<T>(schema: z.ZodType<T>, request: Request): T {
  const { url } = request;
  const at = url.indexOf('?');
  if (at >= 0 && url.includes('%', at)) refuseOtherBytes(url.slice(at + 1));
  return validated(schema, { ...request.query });
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
