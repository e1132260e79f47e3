import { v7 as uuidv7 } from 'uuid';

/** Time-ordered, so that keys append to their index instead of scattering over it (RFC 9562, version 7). */
export const newId = (): string => uuidv7();

const SANE = /^[A-Za-z0-9._:-]{1,128}$/;

/** A caller's correlation id when it can stand in a log line and a header as it is; a new one otherwise. */
export const correlationIdFrom = (given: string | undefined): string =>
  given && SANE.test(given) ? given : newId();
