import type { Processor, WorkerOptions } from 'bullmq';
import type { JobData, JobQueue, JobWorker, QueueName } from './catalogue.js';

export type WorkerSettings = Omit<WorkerOptions, 'connection' | 'prefix'>;

/** What the two stores of BullMQ have to offer; nothing outside this package knows which one it is. */
export interface Backend {
  readonly kind: 'redis' | 'postgres';
  /** True when a command would fail at once: a caller that must not wait asks this first, and it costs nothing. */
  isAway(): boolean;
  /** Resolves once a queue or a worker can be built. Rejects only when `stop` is aborted. */
  reachable(stop: AbortSignal): Promise<void>;
  /** One round trip. @throws an error that says what is wrong with the store. */
  ping(): Promise<void>;
  /** What a store needs before the first queue of a name is built. @throws while the store is away */
  prepareQueue?(name: QueueName): Promise<void>;
  buildQueue(name: QueueName): JobQueue;
  buildWorker(
    name: QueueName,
    processor: Processor<JobData, void, string>,
    settings: WorkerSettings,
  ): JobWorker;
  /** Hears every error of its queues and workers; mends what it can. */
  noteError(error: unknown): void;
  /** From now on a connection that is lost is given up, so that no worker waits for one when it closes. */
  windDown(): Promise<void>;
  close(): Promise<void>;
}
