import type { DefaultJobOptions, Queue, Worker } from 'bullmq';

/**
 * The content of a job: only ids. The database holds the work under these ids.
 *
 * Hints that are added together share jobs. With one id per job, the jobs took more of the database's time than the
 * rest of a recharge (3,000 us of 4,000 on Postgres), and a job with eight ids hardly takes more than a job with one.
 * With more than eight, one worker would take a burst while other workers are idle.
 */
export type JobData = Readonly<{ ids: readonly string[]; traces?: Traces }>;

/**
 * The W3C traceparent of each id's hint, in the order of the ids, while traces are on. BullMQ's own hook for telemetry
 * keeps one parent per job, and the ids of a job come from different requests.
 */
export type Traces = readonly (string | null)[];

export const IDS_PER_JOB_MAX = 8;

/**
 * Each provider has a pair of queues, so a slow provider never takes the turns of another provider. BullMQ forbids `:`
 * in names.
 */
export type QueueName =
  | `submission-${string}`
  | `reconciliation-${string}`
  | 'webhooks'
  | 'callbacks'
  | 'callbacks-slow'
  | 'automation'
  | 'notices';

/** A kind of due work. It determines the queue. */
export type DueWork =
  | Readonly<{ what: 'recharge'; provider: string; nextStep: 'submit' | 'ask' | 'cancel' | 'approve' }>
  | Readonly<{ what: 'event' }>
  | Readonly<{ what: 'callback'; isSlow: boolean }>
  | Readonly<{ what: 'rule' }>
  | Readonly<{ what: 'notice' }>;

export function queueOf(due: DueWork): QueueName {
  if (due.what === 'event') return 'webhooks';
  if (due.what === 'callback') return due.isSlow ? 'callbacks-slow' : 'callbacks';
  if (due.what === 'rule') return 'automation';
  if (due.what === 'notice') return 'notices';
  return due.nextStep === 'submit' ? `submission-${due.provider}` : `reconciliation-${due.provider}`;
}

/**
 * A sweep adds no ids to a queue that holds this many. They are enough for two turns of eight workers. Further rows
 * stay due in the database. There they cost nothing, and new recharges do not wait for them.
 */
export const IDS_WAITING_MAX = 512;

export type JobQueue = Queue<JobData, void, string>;
export type JobWorker = Worker<JobData, void, string>;

export const queueNames = (providers: readonly string[]): QueueName[] => [
  ...providers.map((provider): QueueName => `submission-${provider}`),
  ...providers.map((provider): QueueName => `reconciliation-${provider}`),
  'webhooks',
  'callbacks',
  'callbacks-slow',
  'automation',
  'notices',
];

// The message of an error may quote its input, so a job keeps only the kind of its error. The log has the rest.
const PRIVATE = { stackTraceLimit: 0 };

/** How many finished jobs a backend keeps for people to look at. The permanent record is in the database. */
export type JobRetention = Readonly<Pick<DefaultJobOptions, 'removeOnComplete' | 'removeOnFail'>>;

/**
 * No job gets an id from us, because a failed job that is kept would block a later job with the same id. A doubled job
 * does no harm, because the claim is conditional.
 */
export function jobOptions(queue: QueueName, kept: JobRetention): DefaultJobOptions {
  if (queue === 'webhooks') {
    return { ...PRIVATE, ...kept, attempts: 5, backoff: { type: 'exponential', delay: 500, jitter: 0.5 } };
  }
  // A job has one attempt only. The sweeper continues a failed recharge. The provider is asked before an order is sent
  // again.
  return { ...PRIVATE, ...kept, attempts: 1 };
}

/**
 * How many lifecycle events BullMQ keeps per queue for dashboards. None of our code reads them. The default is 10,000.
 */
export const EVENTS_KEPT = 1_000;
