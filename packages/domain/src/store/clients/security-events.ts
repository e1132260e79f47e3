import { Prisma } from '../../generated/client.js';

/** Files the events of a relation `to_file (rule, client_id, key_id, origin, count, detail)`. */
export const filedSecurityEvents = Prisma.sql`
  filed_events as (
    insert into security_event (rule, client_id, key_id, origin, count, detail)
    select rule, client_id, key_id, origin, count, detail
    from to_file
    returning rule, client_id, key_id, detail)`;
