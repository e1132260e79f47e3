import { z } from 'zod';

export const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{22}$/, 'must be the nextCursor of an earlier page')
  .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' });

/**
 * A cursor is the last id of the previous page in base64url. Clients need not read it. A forged cursor shows nothing
 * new, since each page is filtered by client.
 */
export const cursorOf = (id: string): string =>
  Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

export function idOf(given: string): string {
  const hex = Buffer.from(given, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
