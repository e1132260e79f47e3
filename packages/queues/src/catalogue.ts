import type { DefaultJobOptions, Queue, Worker } from 'bullmq';

/** All that a job carries. What is to be done stands in the database, under this id. */
export type JobData = Readonly<{ id: string }>;

/** One pair of queues a provider, so that a slow provider never takes another's slots. BullMQ forbids `:` in names. */
export type QueueName = `submission-${string}` | `reconciliation-${string}` | 'webhooks' | 'sweep';

export type JobQueue = Queue<JobData, void, string>;
export type JobWorker = Worker<JobData, void, string>;

export const queueNames = (providers: readonly string[]): QueueName[] => [
  ...providers.map((provider): QueueName => `submission-${provider}`),
  ...providers.map((provider): QueueName => `reconciliation-${provider}`),
  'webhooks',
  'sweep',
];

// Enough for a person to see what happened lately; the record that is kept for good is in the database. On Postgres
// BullMQ reads every kept job when another one ends: with 500 of them a worker did 400 jobs a second, with 50 it did 970.
const KEPT = { removeOnComplete: { count: 50 }, removeOnFail: { count: 200 }, stackTraceLimit: 0 };

/**
 * No job is given an id of its own: a failed job that is kept would block a later hint of the same id, and a doubled
 * hint does no harm, because the claim is conditional.
 */
export function jobOptions(queue: QueueName): DefaultJobOptions {
  if (queue === 'webhooks') {
    return { ...KEPT, attempts: 5, backoff: { type: 'exponential', delay: 500, jitter: 0.5 } };
  }
  // One attempt on purpose: recovery belongs to the sweeper, which asks the provider before anything is sent again.
  return { ...KEPT, attempts: 1 };
}

/** Lifecycle events that BullMQ keeps a queue, for its dashboards. Nothing here reads them; the default is 10,000. */
export const EVENTS_KEPT = 1_000;
