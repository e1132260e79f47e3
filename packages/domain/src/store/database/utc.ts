import { Prisma } from '../../generated/client.js';

/** A time as text for JSON, in the form that JavaScript's toISOString gives. */
export const utc = (column: string): Prisma.Sql =>
  Prisma.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);
