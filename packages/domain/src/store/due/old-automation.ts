import { Prisma } from '../../generated/client.js';

/** Deletions of what rules, callbacks and notices leave behind. Each takes up to `max` rows, oldest first. */
export type OldRows = (days: number, max: number) => Prisma.Sql;

/** Looks that created nothing. What created a recharge counts towards caps and explains it, so it stays. */
export const oldLooks: OldRows = (days, max) => Prisma.sql`
  delete from rule_decision
  where ctid = any(array(
    select ctid
    from rule_decision
    where transaction_id is null and at < now() - ${days}::int * interval '1 day'
    order by at
    limit ${max}::int))`;

/** Balances of watched cloud accounts. The burn rate and the back-test look at the last 30 days. */
export const oldReadings: OldRows = (days, max) => Prisma.sql`
  delete from account_reading
  where ctid = any(array(
    select ctid
    from account_reading
    where at < now() - ${days}::int * interval '1 day'
    order by at
    limit ${max}::int))`;

/** The ids before a time. Ids of version 7 rise with time, so a walk over them ends where the old rows end. */
const olderThan = (days: number): Prisma.Sql =>
  Prisma.sql`id < uuid_from(now() - ${days}::int * interval '1 day')`;

/** Deliveries that ended. */
export const oldDeliveries: OldRows = (days, max) => Prisma.sql`
  delete from callback_delivery
  where id = any(array(
    select id
    from callback_delivery
    where ${olderThan(days)} and due_at is null
    order by id
    limit ${max}::int))`;

/** Events whose deliveries are all deleted. */
export const oldEvents: OldRows = (days, max) => Prisma.sql`
  delete from callback_event
  where id = any(array(
    select id
    from callback_event event
    where ${olderThan(days)}
      and not exists (select from callback_delivery delivery where delivery.event_id = event.id)
    order by id
    limit ${max}::int))`;

/** Notices that were told, or given up. */
export const oldNotices: OldRows = (days, max) => Prisma.sql`
  delete from notice
  where id = any(array(
    select id
    from notice
    where ${olderThan(days)} and due_at is null
    order by id
    limit ${max}::int))`;
