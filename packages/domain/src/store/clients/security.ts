import { type SecurityRule, securityRules } from '../../core/access/security-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { columns } from '../database/rows.js';
import { type Anomaly, findAnomalies } from './anomalies.js';
import { filedSecurityEvents } from './security-events.js';

/**
 * How often one key broke one rule since the last report. `origin` is null if the rule counts all addresses together.
 */
export type Suspicion = Readonly<{
  rule: SecurityRule;
  keyId: string;
  origin: string | null;
  count: number;
}>;
/**
 * A rule's limit was reached. The key is refused at `origin` until `until`. If `until` is null, the alarm only informs
 * people.
 */
export type Alarm = Readonly<{
  rule: SecurityRule;
  keyId: string;
  origin: string | null;
  until: Date | null;
}>;
/** A lock of a key. `origin` is null for a key that is refused at all addresses. */
export type KeyLock = Readonly<{ keyId: string; rule: string; origin: string | null; until: Date }>;
export type { Anomaly };

export interface Security {
  /**
   * Files suspicions and locks keys at the addresses that reached a limit. A suspicion about an unknown key is ignored.
   */
  report(seen: readonly Suspicion[]): Promise<Alarm[]>;
  /** The locks that are in force now. */
  locked(): Promise<KeyLock[]>;
  /** Lifts all locks of a key. Earlier events no longer count against it. False if the key has no lock. */
  unlock(keyId: string): Promise<boolean>;
  /** Compares each client's recharges of the last minutes with its past. Reports each anomaly once per hour. */
  findAnomalies(): Promise<Anomaly[]>;
}

export function openSecurity(run: Run): Security {
  return {
    report: (seen) => report(run, seen),
    locked: () =>
      run<KeyLock>(Prisma.sql`
        select key_id as "keyId", rule, origin, until
        from key_lock
        where until > now()
        union all
        select id, lock_reason, null, locked_until
        from api_key
        where locked_until > now()`),
    unlock: (keyId) => unlock(run, keyId),
    findAnomalies: () => findAnomalies(run),
  };
}

const suspicionColumns = columns({
  rule: 'text',
  keyId: 'text',
  origin: 'text?',
  count: 'int',
  windowMs: 'float8',
  max: 'int',
  lockMs: 'float8',
});

/**
 * A statement does not see the rows that it inserts, so the reported counts are added to the counts of earlier events.
 * The report that passes a limit raises the alarm. Later reports raise no further alarm in the same window or during
 * the lock.
 */
async function report(run: Run, seen: readonly Suspicion[]): Promise<Alarm[]> {
  if (seen.length === 0) return [];
  const input = seen.map(({ rule, keyId, origin, count }) => {
    const { windowMs, max, lockMs } = securityRules[rule];
    return { rule, keyId, origin, count, windowMs, max, lockMs };
  });
  return run<Alarm>(Prisma.sql`
    with
    input as ${suspicionColumns.from(input)},
    to_file as (
      select input.rule, key.client_id, key.id as key_id, input.origin, input.count, null as detail
      from input
      join api_key key on key.id = input."keyId"),
    ${filedSecurityEvents},
    counted_suspicions as (
      select
        input.*,
        coalesce((
          select sum(event.count)
          from security_event event
          where event.key_id = input."keyId"
            and event.rule = input.rule
            and event.origin is not distinct from input.origin
            and event.at > now() - input."windowMs" * interval '1 ms'
            and event.at > coalesce((
              select max(unlocking.at)
              from security_event unlocking
              where unlocking.key_id = input."keyId" and unlocking.rule = 'unlocked'), '-infinity')), 0) as earlier
      from input
      join api_key key on key.id = input."keyId"),
    locked_keys as (
      insert into key_lock (key_id, origin, rule, until)
      select "keyId", origin, rule, now() + "lockMs" * interval '1 ms'
      from counted_suspicions
      where "lockMs" > 0 and earlier + count >= max
      order by "keyId", origin
      on conflict (key_id, origin) do update
        set rule = excluded.rule, until = excluded.until
        where key_lock.until <= now()
      returning key_id, origin, rule, until)
    select rule, key_id as "keyId", origin, until
    from locked_keys
    union all
    select rule, "keyId", origin, null
    from counted_suspicions
    where "lockMs" = 0 and earlier < max and earlier + count >= max`);
}

async function unlock(run: Run, keyId: string): Promise<boolean> {
  const rows = await run<{ id: string }>(Prisma.sql`
    with
    unlocked_key as (
      update api_key
      set locked_until = null, lock_reason = null
      where id = ${keyId} and locked_until > now()
      returning id),
    deleted_locks as (
      delete from key_lock
      where key_id = ${keyId}
      returning key_id, until),
    to_file as (
      select 'unlocked' as rule, key.client_id, key.id as key_id, null as origin, 1 as count, null as detail
      from (
        select id from unlocked_key
        union
        select key_id from deleted_locks where until > now()) freed
      join api_key key on key.id = freed.id),
    ${filedSecurityEvents}
    select key_id as id
    from filed_events`);
  return rows.length === 1;
}
