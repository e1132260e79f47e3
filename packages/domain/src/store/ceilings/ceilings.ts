import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import type { Created, Creator } from '../recharges/create.js';
import type { NewRecharge } from '../recharges/new-recharge.js';
import { type DayCeiling, insertedCounter } from './day-counter.js';

/** What a key may ask for in one currency, in minor units: at once, and in a day together with its client's others. */
export type Ceiling = Readonly<{ requestMinor: bigint | null; dayMinor: bigint | null }>;

/** A request with the ceiling of its key, if it has one. In one piece, so that nobody hands on the one without the other. */
export type RechargeAsk = NewRecharge & Readonly<{ ceiling?: Ceiling | undefined }>;

/**
 * Keeps recharges under their ceilings. A day's ceiling is held by the database, in the statement that stores the
 * recharge: it is exact however many processes there are.
 *
 * Recharges of one client that have a day's ceiling go one after the other in this process: they would wait for each
 * other in the database, each on a connection that others need.
 */
export function ceilingKeeper(run: Run, create: Creator): (ask: RechargeAsk) => Promise<Created> {
  const lines = new Map<string, Promise<unknown>>();
  const counters = new Set<string>();
  const createCounted = async (ask: NewRecharge, ceiling: DayCeiling): Promise<Created> => {
    const name = `${ceiling.clientId} ${ceiling.currency}`;
    if (!counters.has(name)) await run(insertedCounter(ceiling));
    counters.add(name);
    return create.under(ceiling, ask);
  };
  return async ({ ceiling, ...ask }) => {
    if (!ceiling) return create.any(ask);
    if (ceiling.requestMinor !== null && ask.amountMinor > ceiling.requestMinor)
      return refuse(run, create, ask);
    const { dayMinor } = ceiling;
    if (dayMinor === null) return create.any(ask);
    const line = `${ask.clientId} ${ask.currency}`;
    const turn = (lines.get(line) ?? Promise.resolve()).then(() =>
      createCounted(ask, { clientId: ask.clientId, currency: ask.currency, dayMinor }),
    );
    const settled = turn.catch(() => {});
    lines.set(line, settled);
    void settled.then(() => lines.get(line) === settled && lines.delete(line));
    return turn;
  };
}

/** What is stored already was under the ceiling when it came: its repetition is answered, not judged again. */
async function refuse(run: Run, create: Creator, ask: NewRecharge): Promise<Created> {
  const stored = await run(Prisma.sql`
    select from recharge_request
    where client_id = ${ask.clientId}::uuid and idempotency_key = ${ask.idempotencyKey}`);
  return stored.length > 0 ? create.any(ask) : { ok: false, problem: 'above_ceiling' };
}
