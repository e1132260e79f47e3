import { Prisma } from '../generated/client.js';
import type { Created } from './create.js';
import type { Run } from './database.js';
import { CLOCKS_APART_MS, firstIdAt } from './first-id.js';
import type { NewRecharge } from './new-recharge.js';

/** What a key may ask for in one currency, in minor units: at once, and in 24 hours together with its client's others. */
export type Ceiling = Readonly<{ requestMinor: bigint | null; dayMinor: bigint | null }>;

type Create = (ask: NewRecharge) => Promise<Created>;
/** A request with the ceiling of its key, if it has one. In one piece, so that nobody hands on the one without the other. */
export type Ask = NewRecharge & Readonly<{ ceiling?: Ceiling | undefined }>;

const DAY_MS = 24 * 3_600_000;

/**
 * Keeps recharges under their ceilings. A day is the last 24 hours; failed and canceled recharges do not count.
 *
 * Recharges of one client that have a day's ceiling go one after the other in this process, so here the sum is exact.
 * Several processes may pass it together by one recharge each.
 */
export function ceilingKeeper(run: Run, create: Create): (ask: Ask) => Promise<Created> {
  const lines = new Map<string, Promise<unknown>>();
  return ({ ceiling, ...ask }) => {
    if (!ceiling) return create(ask);
    const line = `${ask.clientId} ${ask.currency}`;
    const turn = (lines.get(line) ?? Promise.resolve()).then(() => createUnder(run, create, ask, ceiling));
    const settled = turn.catch(() => {});
    lines.set(line, settled);
    void settled.then(() => lines.get(line) === settled && lines.delete(line));
    return turn;
  };
}

async function createUnder(run: Run, create: Create, ask: NewRecharge, ceiling: Ceiling): Promise<Created> {
  const isAbove =
    (ceiling.requestMinor !== null && ask.amountMinor > ceiling.requestMinor) ||
    (ceiling.dayMinor !== null && ask.amountMinor + (await askedInADay(run, ask)) > ceiling.dayMinor);
  // What is stored already was under the ceiling when it came: its repetition is answered, not judged again.
  if (isAbove && !(await isStored(run, ask))) return { ok: false, problem: 'above_ceiling' };
  return create(ask);
}

async function askedInADay(run: Run, { clientId, currency }: NewRecharge): Promise<bigint> {
  const since = firstIdAt(Date.now() - DAY_MS - CLOCKS_APART_MS);
  const [row] = await run<{ sum: bigint }>(Prisma.sql`
    select coalesce(sum(amount_minor), 0)::bigint as sum from recharge_transaction
    where client_id = ${clientId}::uuid and id >= ${since}::uuid and currency = ${currency}
      and created_at > now() - interval '24 hours' and state not in ('FAILED', 'CANCELED')`);
  return row!.sum;
}

async function isStored(run: Run, { clientId, idempotencyKey }: NewRecharge): Promise<boolean> {
  const rows = await run(Prisma.sql`
    select from recharge_request where client_id = ${clientId}::uuid and idempotency_key = ${idempotencyKey}`);
  return rows.length > 0;
}
