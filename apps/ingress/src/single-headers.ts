import { invalid, type Problem } from './problem.js';

const singles = [
  { name: 'Authorization', path: 'Authorization' },
  { name: 'Content-Type', path: 'Content-Type' },
  { name: 'Idempotency-Key', path: 'idempotencyKey' },
] as const;

/**
 * Of several headers of one of these names Node keeps the first, and what stands before us may have judged another.
 * One pass over all headers that makes nothing: it is on the way of every call.
 * @throws Problem INVALID_ARGUMENT that names the header
 */
export function refuseRepeated(rawHeaders: readonly string[]): void {
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const place = placeOf(rawHeaders[at]!);
    if (place < 0) continue;
    if (seen & (1 << place)) throw repeated(singles[place]!);
    seen |= 1 << place;
  }
}

const repeated = ({ name, path }: (typeof singles)[number]): Problem =>
  invalid({ path, message: `the header ${name} was sent more than once` });

/** Among the singles; their lengths differ, so that few headers have to be compared. */
function placeOf(name: string): number {
  if (name.length === 13) return /^authorization$/i.test(name) ? 0 : -1;
  if (name.length === 12) return /^content-type$/i.test(name) ? 1 : -1;
  if (name.length === 15) return /^idempotency-key$/i.test(name) ? 2 : -1;
  return -1;
}
