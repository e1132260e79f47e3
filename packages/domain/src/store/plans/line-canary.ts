import { Prisma } from '../../generated/client.js';
import { payeeAsKept } from '../payees/frozen.js';
import { isNewPayeeOf } from '../payees/new-payee.js';
import { joinedRecharges, lineStatus } from './view.js';

/**
 * Joins two rows to `line`. `payee` is the payee of its account, if the canary of the plan applies to it. `small` is
 * the first line of the account that is at most the canary. Its recharge shows whether money arrives at that payee.
 */
export const joinedCanary = Prisma.sql`
    left join payee on plan.canary_minor is not null and payee.account_id = line.account_id
      and payee.currency = plan.currency and line.destination is distinct from 'wallet'
    left join lateral (
      select small.place
      from recharge_plan_line small
      where small.plan_id = line.plan_id and small.account_id = line.account_id
        and small.destination is distinct from 'wallet' and small.amount_minor <= plan.canary_minor
      order by small.place
      limit 1) small on payee.account_id is not null`;

const statusOfSmall = Prisma.sql`(
        select ${lineStatus}
        from recharge_plan_line line
        ${joinedRecharges}
        where line.plan_id = plan.id and line.place = small.place)`;

/**
 * What the canary means for `line`. Null: the line goes, because something has arrived at its payee, or because it is
 * the small line itself. `failed`: the small line is over and nothing has arrived, so no other line of the plan goes to
 * that payee.
 */
export const lineCanary = Prisma.sql`
      case
        when payee.account_id is null or small.place = line.place then null
        when not (${isNewPayeeOf(Prisma.sql`line.account_id`)}) then null
        when small.place is null then 'missing'
        when ${statusOfSmall} in ('succeeded', 'failed', 'canceled') then 'failed'
        else 'under_way' end`;

/**
 * The payee that `lineCanary` looks at, as text of JSON. The recharge of the line goes to no other one. Null: the canary
 * of `plan` does not hold for `line`.
 */
export const judgedPayee = Prisma.sql`
      case when plan.canary_minor is not null and line.destination is distinct from 'wallet'
        then coalesce(${payeeAsKept}, 'null'::jsonb)::text end`;
