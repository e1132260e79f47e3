import { type SecurityRule, securityRules } from '../../core/security-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { type Anomaly, findAnomalies } from '../reads/anomalies.js';

/** What one rule saw of one key since the last report. `origin` is null where all addresses are counted together. */
export type Suspicion = Readonly<{
  rule: SecurityRule;
  keyId: string;
  origin: string | null;
  count: number;
}>;
/** A rule's limit was reached. With a lock the key is refused at `origin` until then; without one only people are told. */
export type Alarm = Readonly<{
  rule: SecurityRule;
  keyId: string;
  origin: string | null;
  until: Date | null;
}>;
/** `origin` is null for a key that is refused everywhere. */
export type KeyLock = Readonly<{ keyId: string; rule: string; origin: string | null; until: Date }>;
export type { Anomaly };

export interface Security {
  /** Files what was seen, and locks keys at the addresses that went too far. Names that are no key's are passed over. */
  report(seen: readonly Suspicion[]): Promise<Alarm[]>;
  /** The locks that hold now. */
  locked(): Promise<KeyLock[]>;
  /** Lifts all locks of a key; false when it has none. What it did before is not counted again. */
  unlock(keyId: string): Promise<boolean>;
  /** Compares the recharges of the last minutes with each client's own past; says each oddity once an hour. */
  findAnomalies(): Promise<Anomaly[]>;
}

export function openSecurity(run: Run): Security {
  return {
    report: (seen) => report(run, seen),
    locked: () =>
      run<KeyLock>(Prisma.sql`
        select key_id as "keyId", rule, origin, until from key_lock where until > now()
        union all select id, lock_reason, null, locked_until from api_key where locked_until > now()`),
    unlock: (keyId) => unlock(run, keyId),
    findAnomalies: () => findAnomalies(run),
  };
}

/**
 * The rows of this statement are not visible to it, so what is filed is added to what was. A limit is reached once in a
 * window: by the report that passes it, not by those after it.
 */
async function report(run: Run, seen: readonly Suspicion[]): Promise<Alarm[]> {
  if (seen.length === 0) return [];
  const rows = JSON.stringify(seen.map((one) => ({ ...one, ...securityRules[one.rule] })));
  return run<Alarm>(Prisma.sql`
    with seen as (
      select s.*, k.client_id from jsonb_to_recordset(${rows}::jsonb) as s(
        rule text, "keyId" text, origin text, count int, "windowMs" float8, max int, "lockMs" float8)
      join api_key k on k.id = s."keyId"),
    filed as (
      insert into security_event (rule, client_id, key_id, origin, count)
      select rule, client_id, "keyId", origin, count from seen),
    before as (
      select s.*, coalesce((
        select sum(e.count) from security_event e
        where e.key_id = s."keyId" and e.rule = s.rule and e.origin is not distinct from s.origin
          and e.at > now() - s."windowMs" * interval '1 ms'
          and e.at > coalesce((select max(u.at) from security_event u
            where u.key_id = s."keyId" and u.rule = 'unlocked'), '-infinity')), 0) as earlier
      from seen s),
    locked as (
      insert into key_lock (key_id, origin, rule, until)
      select "keyId", origin, rule, now() + "lockMs" * interval '1 ms' from before
      where "lockMs" > 0 and earlier + count >= max order by "keyId", origin
      on conflict (key_id, origin) do update set rule = excluded.rule, until = excluded.until
        where key_lock.until <= now()
      returning key_id, origin, rule, until)
    select rule, key_id as "keyId", origin, until from locked
    union all select rule, "keyId", origin, null from before
      where "lockMs" = 0 and earlier < max and earlier + count >= max`);
}

async function unlock(run: Run, keyId: string): Promise<boolean> {
  const rows = await run<{ id: string }>(Prisma.sql`
    with everywhere as (
      update api_key set locked_until = null, lock_reason = null where id = ${keyId} and locked_until > now()
      returning id),
    somewhere as (delete from key_lock where key_id = ${keyId} returning key_id, until),
    freed as (
      select id from everywhere union select key_id from somewhere where until > now())
    insert into security_event (rule, client_id, key_id, count)
    select 'unlocked', k.client_id, k.id, 1 from freed join api_key k on k.id = freed.id
    returning key_id as id`);
  return rows.length === 1;
}
