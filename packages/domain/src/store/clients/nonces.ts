import { Prisma } from '../../generated/client.js';
import { coalesce } from '../batches/coalesce.js';
import type { Run } from '../database/database.js';

type Use = Readonly<{ keyId: string; nonce: string }>;

/** True for the first use of a nonce by a key over all processes, false for every later one. */
export function nonceUser(run: Run): (use: Use) => Promise<boolean> {
  return coalesce<Use, boolean>((uses) => useAll(run, uses), {
    batchMax: 64,
    inFlightMax: 2,
  });
}

const nameOf = ({ keyId, nonce }: Use): string => `${keyId} ${nonce}`;

/**
 * Inserts in key order. Two batches that share nonces then wait for each other instead of deadlocking.
 *
 * The commit does not wait for the disk. The recharge that a signed request stores is committed later and does wait,
 * and Postgres writes its log in order. So no recharge survives a crash without its nonce.
 */
async function useAll(run: Run, uses: readonly Use[]): Promise<boolean[]> {
  const keyIds = uses.map(({ keyId }) => keyId);
  const nonces = uses.map(({ nonce }) => nonce);
  const first = await run<Use>(Prisma.sql`
    with changed_setting as materialized (select set_config('synchronous_commit', 'off', true))
    insert into nonce (key_id, nonce)
    select input.key_id, input.nonce
    from changed_setting, unnest(${keyIds}::text[], ${nonces}::text[]) as input(key_id, nonce)
    order by input.key_id, input.nonce
    on conflict do nothing
    returning key_id as "keyId", nonce`);
  const unclaimed = new Set(first.map(nameOf));
  // Of several uses of one nonce in a batch, the first one counts.
  return uses.map((use) => unclaimed.delete(nameOf(use)));
}
