import type { Processor, WorkerOptions } from 'bullmq';
import type { JobData, JobQueue, JobWorker, QueueName } from './catalogue.js';

/** Whether the store may throw keys away, and how many it has thrown away since its start. */
export type Eviction = Readonly<{ mayEvict: boolean; evictedKeys: number }>;

export type WorkerSettings = Omit<WorkerOptions, 'connection' | 'prefix'>;

/** What both stores of BullMQ offer. No other package knows which of them is in use. */
export interface Backend {
  readonly kind: 'redis' | 'postgres';
  /**
   * Whether the store is known to be away. A caller that must not wait asks this first. The answer takes no round trip.
   */
  isAway(): boolean;
  /** Resolves once a queue or a worker can be built. Rejects only if `stop` is aborted. */
  reachable(stop: AbortSignal): Promise<void>;
  /** Checks the store in one round trip. @throws an error whose message names the fault */
  ping(): Promise<void>;
  /**
   * The number of jobs that wait in each queue, counted up to `most`. A store without this method has no count of
   * several queues, so each queue is asked for its own.
   * @throws while the store is away
   */
  waiting?(names: readonly QueueName[], most: number): Promise<number[]>;
  /**
   * What the store does with keys when its memory is full. A store that never throws keys away does not have this
   * method.
   * @throws while it is away
   */
  eviction?(): Promise<Eviction>;
  /**
   * Prepares the store for a queue. Called before the first queue of a name is built.
   * @throws while the store is away
   */
  prepareQueue?(name: QueueName): Promise<void>;
  buildQueue(name: QueueName): JobQueue;
  buildWorker(
    name: QueueName,
    processor: Processor<JobData, void, string>,
    settings: WorkerSettings,
  ): JobWorker;
  /** Called with each error of the queues and workers. Repairs the store if possible. */
  noteError(error: unknown): void;
  /** Stops reconnecting lost connections, so no closing worker waits for one. */
  windDown(): Promise<void>;
  close(): Promise<void>;
}
