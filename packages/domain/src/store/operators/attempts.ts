import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

const ATTEMPTS_PER_MINUTE = 5;

/**
 * Counts an attempt to sign in before it is judged, so that attempts at the same time cannot exceed the limit. Returns
 * false if one of the subjects has used up its attempts of the minute.
 */
export async function beginAttempt(run: Run, subjects: readonly string[]): Promise<boolean> {
  const [counted] = await run<{ isOpen: boolean }>(Prisma.sql`
    with
    forgotten as (
      delete from login_attempt
      where since < now() - interval '1 hour' and subject <> all(${[...subjects]}::text[])),
    counted as (
      insert into login_attempt as attempt (subject, count)
      select subject, 1
      from unnest(${[...subjects]}::text[]) as input(subject)
      order by subject
      on conflict (subject) do update set
        since = case when ${isOver} then now() else attempt.since end,
        count = case when ${isOver} then 1 else attempt.count + 1 end
      returning count)
    select bool_and(count <= ${ATTEMPTS_PER_MINUTE}::int) as "isOpen"
    from counted`);
  return counted?.isOpen ?? false;
}

const isOver = Prisma.sql`attempt.since < now() - interval '1 minute'`;

/** An attempt that succeeded does not count. */
export const forgiveAttempt = (run: Run, subjects: readonly string[]): Promise<unknown> =>
  run(Prisma.sql`
    update login_attempt
    set count = greatest(count - 1, 0)
    where subject = any(${[...subjects]}::text[])`);
