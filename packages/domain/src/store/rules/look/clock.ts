import { Prisma } from '../../../generated/client.js';

/**
 * The time on which rules decide. The database's clock, so that it is the same for all processes. Tests move a clock of
 * their own, and then a decline counts from the decision that made its recharge.
 */
export type RuleClock = Readonly<{ now: () => Prisma.Sql; isOwn: boolean }>;

export const databaseClock: RuleClock = { now: () => Prisma.sql`now()`, isOwn: false };

export const movedClock = (now: () => Date): RuleClock => ({
  now: () => Prisma.sql`${now()}::timestamptz`,
  isOwn: true,
});
