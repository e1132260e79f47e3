import type { Due, Lane, Sweep } from '@replenish/domain';
import { type QueueName, type Queues, queueOf } from '@replenish/queues';
import { crashPoint, type Logger } from '@replenish/runtime';

export type SweeperDeps = Readonly<{
  domain: Sweep;
  queues: Pick<Queues, 'hint' | 'room'>;
  /** The configured providers. */
  providers: readonly string[];
  log: Logger;
}>;

/** The result of a sweep. `isMore`: more rows may be due, but their queue was full. */
export type Swept = Readonly<{ taken: number; isMore: boolean }>;

// Rows per batch. A batch is one statement and one bulk addition to its queue.
const BATCH_MAX = 500;
// Time between log lines about recharges of a provider that is not configured. The cause is a wrong configuration, so
// one line per minute is enough.
const STRAY_GAP_MS = 60_000;

/**
 * Turns due rows into jobs. Only this recovers from lost hints, dead workers and silent providers. While the queue
 * store is down or a queue is full, the rows stay due.
 */
export function sweeper({ domain, queues, providers, log }: SweeperDeps): () => Promise<Swept> {
  const lanes = domain.lanes(providers);
  const roomsNow = roomsOf(queues, lanes, log);
  let straysAtMs = Number.NEGATIVE_INFINITY;

  async function sweepLane(lane: Lane, room: number): Promise<Swept> {
    let taken = 0;
    while (taken < room) {
      const due = await domain.takeDue(Math.min(BATCH_MAX, room - taken), lane);
      if (due.length === 0) return { taken, isMore: false };
      crashPoint('reconciliation.after-take');
      if (!(await hinted(due, lane))) return { taken, isMore: false };
      taken += due.length;
    }
    return { taken, isMore: true };
  }

  async function hinted(due: readonly Due[], lane: Lane): Promise<boolean> {
    const ids = due.map(({ id }) => id);
    if (await queues.hint(queueOf(lane), ids)) return true;
    await domain.putBack(due);
    return false;
  }

  async function reportStrays(): Promise<void> {
    straysAtMs = performance.now();
    for (const { provider, count } of await domain.dueElsewhere(providers))
      log.error({ provider, recharges: count }, 'recharges of a provider that is not configured');
  }

  return async () => {
    const rooms = await roomsNow();
    const busy = rooms.size > 0 ? await domain.lanesWithWork(lanes) : [];
    const swept = await Promise.all(busy.map((lane) => sweepLane(lane, rooms.get(queueOf(lane))!)));
    const taken = swept.reduce((sum, lane) => sum + lane.taken, 0);
    if (taken > 0) log.info({ taken }, 'swept');
    if (performance.now() - straysAtMs > STRAY_GAP_MS) await reportStrays();
    return { taken, isMore: swept.some((lane) => lane.isMore) };
  };
}

/**
 * Returns a function that reads how many jobs each queue can take. It finds no queue while the queue store is down. The
 * beginning and the end of such an outage are logged.
 */
function roomsOf(
  queues: SweeperDeps['queues'],
  lanes: readonly Lane[],
  log: Logger,
): () => Promise<ReadonlyMap<QueueName, number>> {
  const names = lanes.map(queueOf);
  let isAway = false;
  return async () => {
    try {
      const rooms = await queues.room(names);
      if (isAway) log.info('the queue store takes jobs again');
      isAway = false;
      return new Map(names.map((name, at) => [name, rooms[at]!]));
    } catch (error) {
      if (!isAway) log.warn({ err: error }, 'due rows stay due: the queue store takes no jobs');
      isAway = true;
      return new Map();
    }
  };
}
