import { Prisma } from '../../generated/client.js';

/** A note about what `recharge` waits for, with the time since which it has waited for this reason. Null stays null. */
export const noteSince = (
  note: Prisma.Sql,
): Prisma.Sql => Prisma.sql`${note} || jsonb_build_object('since', coalesce(
        case when recharge.waiting ->> 'reason' = ${note} ->> 'reason' then recharge.waiting -> 'since' end,
        to_jsonb(now())))`;
