import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { Run } from '../database/database.js';

type Use = Readonly<{ keyId: string; nonce: string }>;

/** True for the first use of a nonce by a key in any process; false for every later one. */
export function nonceUser(run: Run): (use: Use) => Promise<boolean> {
  return coalesce<Use, boolean>((uses) => useAll(run, uses), {
    batchMax: 64,
    inFlightMax: 2,
  });
}

const nameOf = ({ keyId, nonce }: Use): string => `${keyId} ${nonce}`;

/**
 * In key order: two batches that share nonces then wait for each other instead of deadlocking.
 *
 * Its commit does not wait for the disk. The recharge that a signed request stores commits after it and does wait, and
 * the log is written in order: no recharge survives a crash without its nonce.
 */
async function useAll(run: Run, uses: readonly Use[]): Promise<boolean[]> {
  const keyIds = uses.map(({ keyId }) => keyId);
  const nonces = uses.map(({ nonce }) => nonce);
  const first = await run<Use>(Prisma.sql`
    with unhurried as materialized (select set_config('synchronous_commit', 'off', true))
    insert into nonce (key_id, nonce)
    select k, n from unhurried, unnest(${keyIds}::text[], ${nonces}::text[]) as u(k, n) order by k, n
    on conflict do nothing
    returning key_id as "keyId", nonce`);
  const unclaimed = new Set(first.map(nameOf));
  // Of several in one batch, the first to ask has it.
  return uses.map((use) => unclaimed.delete(nameOf(use)));
}
