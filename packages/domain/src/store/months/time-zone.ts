import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { codeOf } from '../database/failure.js';

/** The time zone in which the months of an account begin. */
export type AccountTimeZone = Readonly<{
  timeZone: string;
  /** Whether it was set for this account. If not, its payee gives it. */
  isSet: boolean;
}>;

// Alibaba Cloud's own statements end at midnight in Beijing.
const ZONE_OF_PAYEE = 'alibaba_cloud';

/** Selects the time zone of an account as `name`, and `is_set`. */
export const zoneOfAccount = (accountId: string): Prisma.Sql => Prisma.sql`
  select
    coalesce(
      own.time_zone,
      case when payee.provider = ${ZONE_OF_PAYEE} then 'Asia/Shanghai' else 'UTC' end) as name,
    own.time_zone is not null as is_set
  from (select) always
  left join account_time_zone own on own.account_id = ${accountId}
  left join payee on payee.account_id = ${accountId}`;

export async function timeZoneOf(run: Run, accountId: string): Promise<AccountTimeZone> {
  const [found] = await run<AccountTimeZone>(
    Prisma.sql`select name as "timeZone", is_set as "isSet" from (${zoneOfAccount(accountId)}) zone`,
  );
  return found!;
}

/**
 * Sets the time zone of an account, which also moves the bounds of its earlier months. Returns false if the database
 * does not know the time zone.
 */
export async function setTimeZone(
  run: Run,
  { accountId, timeZone, setBy }: Readonly<{ accountId: string; timeZone: string; setBy: string }>,
): Promise<boolean> {
  if (!(await isKnown(run, timeZone))) return false;
  await run(Prisma.sql`
    insert into account_time_zone (account_id, time_zone, set_by)
    values (${accountId}, ${timeZone}, ${setBy})
    on conflict (account_id) do update
      set time_zone = excluded.time_zone, set_by = excluded.set_by, set_at = now()`);
  return true;
}

/** Removes the time zone that was set, so that the payee gives it again. Returns false if none was set. */
export async function clearTimeZone(run: Run, accountId: string): Promise<boolean> {
  const cleared = await run(
    Prisma.sql`delete from account_time_zone where account_id = ${accountId} returning account_id`,
  );
  return cleared.length > 0;
}

/** Whether the database knows a time zone. */
async function isKnown(run: Run, timeZone: string): Promise<boolean> {
  try {
    await run(Prisma.sql`select now() at time zone ${timeZone}`);
    return true;
  } catch (error) {
    if (codeOf(error) === UNKNOWN_TIME_ZONE) return false;
    throw error;
  }
}

// invalid_parameter_value
export const UNKNOWN_TIME_ZONE = '22023';
