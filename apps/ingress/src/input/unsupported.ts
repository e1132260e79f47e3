import type { Request } from 'express';
import { invalid } from '../http/answers/problem.js';

/**
 * Headers that change the meaning of a POST where they are supported: conditions (RFC 9110, 13.1), other methods,
 * parts of a body, dry runs, and other spellings of Idempotency-Key.
 */
const UNSUPPORTED =
  /^(?:if-match|if-none-match|if-unmodified-since|content-range|x-http-method(?:-override)?|x-method-override|(?:x-)?dry-?run)$|idempoten/;

/**
 * Refuses headers that change the meaning of a POST and that no code here reads. If they were ignored, a request with
 * `X-Dry-Run` would move money, and with `X-Idempotency-Key` each retry would charge again.
 * @throws Problem INVALID_ARGUMENT that names the header
 */
export function refuseUnsupported(request: Request): void {
  for (const name in request.headers)
    if (UNSUPPORTED.test(name) && name !== 'idempotency-key')
      throw invalid({ path: name, message: 'is a header that this request cannot have; leave it out' });
}
