import { type SecurityRule, securityRules } from '../core/security-rules.js';
import { Prisma } from '../generated/client.js';
import type { Run } from './database.js';
import { findOddities, type Oddity } from './recharges/oddities.js';

/** What one rule saw of one key since the last report. */
export type Suspicion = Readonly<{ rule: SecurityRule; keyId: string; count: number; detail: string }>;
export type Lock = Readonly<{ keyId: string; rule: SecurityRule; until: Date }>;
export type { Oddity };

export interface Security {
  /** Files what was seen and locks the keys that went too far. Names that are no key's are passed over. */
  report(seen: readonly Suspicion[]): Promise<Lock[]>;
  /** The keys that are locked now. */
  locked(): Promise<Lock[]>;
  /** False when the key is not locked. What it did before is not counted again. */
  unlock(keyId: string): Promise<boolean>;
  /** Compares the recharges of the last minutes with each client's own past; says each oddity once an hour. */
  findOddities(): Promise<Oddity[]>;
}

export function openSecurity(run: Run): Security {
  return {
    report: (seen) => report(run, seen),
    locked: () =>
      run<Lock>(Prisma.sql`
        select id as "keyId", lock_reason as rule, locked_until as until from api_key where locked_until > now()`),
    unlock: (keyId) => unlock(run, keyId),
    findOddities: () => findOddities(run),
  };
}

/** The rows of this statement are not visible to it, so what is filed is added to what was. */
async function report(run: Run, seen: readonly Suspicion[]): Promise<Lock[]> {
  if (seen.length === 0) return [];
  const rows = JSON.stringify(seen.map((one) => ({ ...one, ...securityRules[one.rule] })));
  return run<Lock>(Prisma.sql`
    with seen as (
      select * from jsonb_to_recordset(${rows}::jsonb) as s(
        rule text, "keyId" text, count int, detail text, "windowMs" float8, max int, "lockMs" float8)),
    filed as (
      insert into security_event (rule, client_id, key_id, count, detail)
      select s.rule, k.client_id, k.id, s.count, s.detail from seen s join api_key k on k.id = s."keyId"
      returning key_id),
    over as (
      select distinct on (s."keyId") s."keyId", s.rule, s."lockMs" from seen s
      where s."lockMs" > 0 and s.count + coalesce((
        select sum(e.count) from security_event e
        where e.key_id = s."keyId" and e.rule = s.rule and e.at > now() - s."windowMs" * interval '1 ms'
          and e.at > coalesce((select max(u.at) from security_event u
            where u.key_id = s."keyId" and u.rule = 'unlocked'), '-infinity')), 0) >= s.max
      order by s."keyId", s."lockMs" desc)
    update api_key k set locked_until = now() + over."lockMs" * interval '1 ms', lock_reason = over.rule
    from over where k.id = over."keyId" and (k.locked_until is null or k.locked_until <= now())
    returning k.id as "keyId", k.lock_reason as rule, k.locked_until as until`);
}

async function unlock(run: Run, keyId: string): Promise<boolean> {
  const rows = await run<{ id: string }>(Prisma.sql`
    with freed as (
      update api_key set locked_until = null, lock_reason = null where id = ${keyId} and locked_until > now()
      returning id, client_id)
    insert into security_event (rule, client_id, key_id, count) select 'unlocked', client_id, id, 1 from freed
    returning key_id as id`);
  return rows.length === 1;
}
