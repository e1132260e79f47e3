import type { IncomingMessage } from 'node:http';
import { invalid, Problem } from './answers/problem.js';

const singles = [
  { name: 'Authorization', path: 'Authorization' },
  { name: 'Content-Type', path: 'Content-Type' },
  { name: 'Idempotency-Key', path: 'idempotencyKey' },
] as const;

/**
 * Refuses a repeated header of these names. Node keeps the first of them, while a proxy in front of us may have checked
 * another one. The check runs on each call, so it is one pass without allocations.
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

const HOST = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;

/**
 * Requires exactly one valid Host (RFC 9112, 3.2), because a proxy in front of us may have used another one.
 * @throws Problem INVALID_ARGUMENT
 */
export function requireOneHost({ headers: { host }, httpVersion, rawHeaders }: IncomingMessage): void {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.length === 4 && /^host$/i.test(rawHeaders[at]!)) hosts += 1;
  if (hosts > 1) throw new Problem('INVALID_ARGUMENT', 'the header Host was sent more than once');
  if (host === undefined && httpVersion === '1.1')
    throw new Problem('INVALID_ARGUMENT', 'the header Host is needed');
  if (host !== undefined && !HOST.test(host))
    throw new Problem('INVALID_ARGUMENT', 'the header Host must be a host and perhaps a port');
}

const repeated = ({ name, path }: (typeof singles)[number]): Problem =>
  invalid({ path, message: `the header ${name} was sent more than once` });

/**
 * Index in `singles`, or -1. The names have different lengths, so that most headers are told apart by their length.
 */
function placeOf(name: string): number {
  if (name.length === 13) return /^authorization$/i.test(name) ? 0 : -1;
  if (name.length === 12) return /^content-type$/i.test(name) ? 1 : -1;
  if (name.length === 15) return /^idempotency-key$/i.test(name) ? 2 : -1;
  return -1;
}
