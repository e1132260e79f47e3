import type { DefaultJobOptions, Queue, Worker } from 'bullmq';

/**
 * All that a job carries. What is to be done stands in the database, under these ids.
 *
 * Hints that go out together share jobs: a job of one id each cost more than all else that was done for a recharge
 * (on Postgres 3,000 us of 4,000), and eight of them cost hardly more than one. More than eight would let one worker
 * take a burst that others have hands free for.
 */
export type JobData = Readonly<{ ids: readonly string[] }>;

export const IDS_A_JOB_MAX = 8;

/** One pair of queues a provider, so that a slow provider never takes another's slots. BullMQ forbids `:` in names. */
export type QueueName = `submission-${string}` | `reconciliation-${string}` | 'webhooks';

/** What the database says is due, and thereby whose queue it belongs to. */
export type DueWork =
  | Readonly<{ what: 'recharge'; provider: string; nextStep: 'submit' | 'ask' }>
  | Readonly<{ what: 'event' }>;

export function queueOf(due: DueWork): QueueName {
  if (due.what === 'event') return 'webhooks';
  return due.nextStep === 'submit' ? `submission-${due.provider}` : `reconciliation-${due.provider}`;
}

/**
 * Ids that a queue may hold before a sweep adds no more. Enough for two turns of eight workers; what is beyond it stays
 * due in the database, where it costs nothing, and new recharges do not wait behind it.
 */
export const IDS_WAITING_MAX = 512;

export type JobQueue = Queue<JobData, void, string>;
export type JobWorker = Worker<JobData, void, string>;

export const queueNames = (providers: readonly string[]): QueueName[] => [
  ...providers.map((provider): QueueName => `submission-${provider}`),
  ...providers.map((provider): QueueName => `reconciliation-${provider}`),
  'webhooks',
];

// Errors may quote what they choked on, so a job keeps the kind of its error only; the log has the rest.
const PRIVATE = { stackTraceLimit: 0 };

/** How many finished jobs a backend keeps to look at. The record that is kept for good is in the database. */
export type JobRetention = Readonly<Pick<DefaultJobOptions, 'removeOnComplete' | 'removeOnFail'>>;

/**
 * No job is given an id of its own: a failed job that is kept would block a later hint of the same id, and a doubled
 * hint does no harm, because the claim is conditional.
 */
export function jobOptions(queue: QueueName, kept: JobRetention): DefaultJobOptions {
  if (queue === 'webhooks') {
    return { ...PRIVATE, ...kept, attempts: 5, backoff: { type: 'exponential', delay: 500, jitter: 0.5 } };
  }
  // One attempt on purpose: recovery belongs to the sweeper, which asks the provider before anything is sent again.
  return { ...PRIVATE, ...kept, attempts: 1 };
}

/** Lifecycle events that BullMQ keeps a queue, for its dashboards. Nothing here reads them; the default is 10,000. */
export const EVENTS_KEPT = 1_000;
