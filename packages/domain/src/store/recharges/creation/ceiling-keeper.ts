import { Prisma } from '../../../generated/client.js';
import type { Ceiling } from '../../ceilings/ceiling.js';
import { type DayCeiling, insertedCounter } from '../../ceilings/day-counter.js';
import type { Run } from '../../database/database.js';
import type { Created, Creator } from './create.js';
import type { NewRecharge } from './new-recharge.js';

/**
 * A request together with the ceiling of its key, if the key has one. Both are in one type, so that no caller forgets
 * the ceiling.
 */
export type RechargeAsk = NewRecharge & Readonly<{ ceiling?: Ceiling | undefined }>;

/**
 * Refuses recharges that exceed their ceilings. The statement that stores a recharge also checks the day's ceiling, so
 * the check is exact for any number of processes.
 *
 * Recharges under a day's ceiling wait for each other per client and currency in this process. In the database each of
 * them would wait on a connection that other requests need.
 */
export function ceilingKeeper(run: Run, create: Creator): (ask: RechargeAsk) => Promise<Created> {
  const turns = new Map<string, Promise<unknown>>();
  const counters = new Set<string>();
  const createCounted = async (ask: NewRecharge, ceiling: DayCeiling): Promise<Created> => {
    const name = `${ceiling.clientId} ${ceiling.currency}`;
    if (!counters.has(name)) await run(insertedCounter(ceiling));
    counters.add(name);
    return create.under(ceiling, ask);
  };
  return async (ask) => {
    const { ceiling } = ask;
    if (!ceiling) return create.any(ask);
    if (isAboveRequest(ceiling, ask)) return refuse(run, create, ask);
    const { dayMinor } = ceiling;
    if (dayMinor === null) return create.any(ask);
    const name = `${ask.clientId} ${ask.currency}`;
    const turn = (turns.get(name) ?? Promise.resolve()).then(() =>
      createCounted(ask, { clientId: ask.clientId, currency: ask.currency, dayMinor }),
    );
    const settled = turn.catch(() => {});
    turns.set(name, settled);
    void settled.then(() => turns.get(name) === settled && turns.delete(name));
    return turn;
  };
}

export const isAboveRequest = ({ requestMinor }: Ceiling, { amountMinor }: NewRecharge): boolean =>
  requestMinor !== null && amountMinor > requestMinor;

/**
 * Refuses a request above the ceiling, unless it repeats a stored request. The stored one was under the ceiling when it
 * arrived, so the repetition gets its answer and is not checked again.
 */
async function refuse(run: Run, create: Creator, ask: NewRecharge): Promise<Created> {
  const stored = await run(Prisma.sql`
    select
    from recharge_request
    where client_id = ${ask.clientId}::uuid and idempotency_key = ${ask.idempotencyKey}`);
  return stored.length > 0 ? create.any(ask) : { ok: false, problem: 'above_ceiling' };
}
