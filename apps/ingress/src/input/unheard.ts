import type { Request } from 'express';
import { invalid } from '../http/problem.js';
import { refuseQuery } from './query.js';

/**
 * Headers that would make another request of a POST where they are understood: conditions (RFC 9110, 13.1), other
 * methods, parts of a body, trial runs, and other spellings of Idempotency-Key.
 */
const UNHEARD =
  /^(?:if-match|if-none-match|if-unmodified-since|content-range|x-http-method(?:-override)?|x-method-override|(?:x-)?dry-?run)$|idempoten/;

/**
 * Refuses what a POST says and no code reads: query parameters and headers that change its meaning. Ignored, a
 * `?dryRun=true` moves money, and an `X-Idempotency-Key` lets each retry charge again.
 * @throws Problem INVALID_ARGUMENT that names the parameter or the header
 */
export function refuseUnheard(request: Request): void {
  refuseQuery(request);
  for (const name in request.headers)
    if (UNHEARD.test(name) && name !== 'idempotency-key')
      throw invalid({ path: name, message: 'is a header that this request cannot have; leave it out' });
}
