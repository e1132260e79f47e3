import { randomUUID } from 'node:crypto';

/**
 * Time-ordered, so that keys append to their index instead of scattering over it (RFC 9562, version 7): 48 bits of
 * milliseconds, then the random part of a version 4. Node makes those 128 at a time; the uuid package asks the kernel
 * for every sixteenth, which was 4 % of the ingress's time.
 */
export function newId(): string {
  const nowMs = Date.now();
  if (nowMs !== stampedMs) {
    const time = nowMs.toString(16).padStart(12, '0');
    stamp = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    stampedMs = nowMs;
  }
  return stamp + randomUUID().slice(15);
}

let stampedMs = 0;
let stamp = '';

const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** A caller's correlation id when it can stand in a log line and a header as it is; a new one otherwise. */
export const correlationIdFrom = (given: string | undefined): string =>
  given && SANE.test(given) ? given : newId();
