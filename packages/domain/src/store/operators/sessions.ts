import { createHash, randomBytes } from 'node:crypto';
import type { OperatorRole } from '../../core/access/operator-rules.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';

/** The person of an open session, with the role that the person has now. */
export type SignedIn = Readonly<{ id: string; name: string; role: OperatorRole; hasSecondFactor: boolean }>;

// The longest time of a session. It is longer than a working day, so that an operator signs in once per day.
export const SESSION_MS = 12 * 3_600_000;
// A session that is not used for half an hour is over. A page that is open sends requests, which count as use.
export const SESSION_IDLE_MS = 30 * 60_000;
// A use is noted once per minute at most, so that pages that ask every few seconds write little.
const NOTED_EVERY_MS = 60_000;

const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Opens a session and returns its secret, which the cookie carries. The database has its hash only. */
export async function openSession(run: Run, operatorId: string): Promise<string> {
  const secret = randomBytes(32).toString('base64url');
  await run(Prisma.sql`
    with ended as (
      delete from operator_session
      where ends_at < now())
    insert into operator_session (secret_hash, operator_id, ends_at)
    values (${hashOf(secret)}, ${operatorId}::uuid, now() + ${SESSION_MS}::float8 * interval '1 ms')`);
  return secret;
}

/** The person of a session. Null if it is over, or if the person was disabled. */
export async function signedIn(run: Run, secret: string): Promise<SignedIn | null> {
  const [found] = await run<SignedIn>(Prisma.sql`
    with
    found as materialized (
      select session.secret_hash, session.used_at, person.id, person.name, person.role, person.totp_sealed
      from operator_session session
      join operator person on person.id = session.operator_id
      where session.secret_hash = ${hashOf(secret)}
        and session.ends_at > now()
        and session.used_at > now() - ${SESSION_IDLE_MS}::float8 * interval '1 ms'
        and person.disabled_at is null),
    noted as (
      update operator_session session
      set used_at = now()
      from found
      where session.secret_hash = found.secret_hash
        and found.used_at < now() - ${NOTED_EVERY_MS}::float8 * interval '1 ms')
    select id, name, role, totp_sealed is not null as "hasSecondFactor"
    from found`);
  return found ?? null;
}

export async function endSession(run: Run, secret: string): Promise<boolean> {
  const ended = await run(Prisma.sql`
    delete from operator_session
    where secret_hash = ${hashOf(secret)}
    returning operator_id`);
  return ended.length > 0;
}
