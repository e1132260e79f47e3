import { Prisma } from '../../generated/client.js';

/** A time inside of JSON, as the others are written. */
export const utc = (column: string): Prisma.Sql =>
  Prisma.raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);
