import type { Logger } from '@replenish/runtime';
import { Burst } from './burst.js';
import { type JobQueue, jobOptions, type Kept, type QueueName } from './catalogue.js';

// A sweep a second leaves nothing to look at: what it found is in the log.
const KEPT: Kept = { removeOnComplete: true, removeOnFail: { count: 20 } };

export type Schedule = Readonly<{ queue: QueueName; everyMs: number; id: string }>;

/**
 * Puts the schedule in place, and again whenever it is found missing or late: a store that was emptied has forgotten
 * it, and with it goes the sweep that heals everything else.
 */
export async function keepSchedule(
  schedule: Schedule,
  queue: () => Promise<JobQueue>,
  log: Logger,
): Promise<() => void> {
  const errors = new Burst(log.child({ queue: schedule.queue }), 'schedule');
  const attempt = async (work: (queue: JobQueue) => Promise<unknown>) => {
    try {
      await work(await queue());
      errors.recovered();
    } catch (error) {
      errors.failed(error);
    }
  };
  await attempt((opened) => upsert(opened, schedule));
  let isBusy = false;
  const timer = setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    await attempt(async (opened) => (await isInPlace(opened, schedule)) || upsert(opened, schedule));
    isBusy = false;
  }, checkEveryMs(schedule)).unref();
  return () => clearInterval(timer);
}

const checkEveryMs = ({ everyMs }: Schedule): number => Math.min(Math.max(everyMs, 1_000), 30_000);

const upsert = (queue: JobQueue, { queue: name, everyMs, id }: Schedule) =>
  queue.upsertJobScheduler(
    id,
    { every: everyMs },
    { name, data: { ids: [id] }, opts: jobOptions(name, KEPT) },
  );

async function isInPlace(queue: JobQueue, { everyMs, id }: Schedule): Promise<boolean> {
  const found = await queue.getJobScheduler(id);
  // Three periods: with workers stopped the next run lies in the past as well, and putting it in place again is harmless.
  return found?.every === everyMs && (found.next ?? 0) > Date.now() - 3 * everyMs - 5_000;
}
