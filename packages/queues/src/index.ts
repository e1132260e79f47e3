import type { Frame, Logger } from '@replenish/runtime';
import { activeSpan, type OpenSpan } from '@replenish/runtime/traces';
import type { Queue } from 'bullmq';
import type { Backend, Eviction } from './backend.js';
import { Burst } from './burst.js';
import {
  IDS_PER_JOB_MAX,
  IDS_WAITING_MAX,
  type JobData,
  type JobQueue,
  type QueueName,
  queueNames,
} from './catalogue.js';
import { HintLane } from './hints.js';
import { prefixSource } from './installation.js';
import { openPostgres } from './postgres/postgres.js';
import { openRedis } from './redis/redis.js';
import { jobDataOf, type QueueHint, sending } from './traced.js';
import {
  type Handler,
  openCounters,
  RunningWorker,
  type WorkerCounters,
  type WorkerHandle,
  type WorkOptions,
} from './worker.js';

export { type DueWork, type QueueName, queueOf } from './catalogue.js';
export { type LimitStore, openLimitStore } from './limit-store.js';
export { migrateQueues } from './postgres/postgres-schema.js';
export type { Handler, Later, WorkerHandle, WorkOptions } from './worker.js';

const DEPTH_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

export type QueueDepth = Readonly<{ queue: QueueName; state: (typeof DEPTH_STATES)[number]; count: number }>;

/** Jobs are hints that carry only ids. Jobs that are lost, doubled or reordered lose no money. */
export interface Queues {
  readonly backend: 'redis' | 'postgres';
  /**
   * Adds jobs for these ids. Answers within `hintWaitMs` and never throws. False if the store is away or slow. Then the
   * work is only delayed, because the sweeper adds a job for each unfinished row at its due time.
   * @param from the span that the jobs continue. Null: none. Not given: the active span
   */
  hint(queue: QueueName, ids: readonly string[], from?: OpenSpan | null): Promise<boolean>;
  /** Returns immediately, even while the store is away. The worker starts once the store can be reached. */
  work(queue: QueueName, handler: Handler, options: WorkOptions): WorkerHandle;
  /**
   * The number of ids that a sweep should add to each of these queues, in the order of the names. Zero for a queue in
   * which enough jobs wait. More hints would be copies, and new recharges would have to wait for them.
   * @throws if the store is away or takes no jobs
   */
  room(names: readonly QueueName[]): Promise<number[]>;
  /** @throws if the store is away */
  depth(): Promise<QueueDepth[]>;
  /** Whether the store may throw jobs away, and has. Null for a store that never does. @throws if it is away */
  eviction(): Promise<Eviction | null>;
  /** @throws an error whose message names the fault: the store is away, takes no writes, is full, or may evict jobs */
  ping(): Promise<void>;
  /** All queues of the catalogue as objects of BullMQ. @throws if the store is away */
  boards(): Promise<Queue[]>;
  /** Waits for the running handlers, then closes all connections. */
  close(): Promise<void>;
}

export type QueuesConfig = Readonly<{
  /** Redis or Valkey. Unset: the queues are in the database, in a schema of their own. */
  redisUrl?: string | undefined;
  databaseUrl: string;
  /** Prefix of the keys in Redis. Unset: a name made from the identity of the database. */
  prefix?: string | undefined;
  log: Logger;
  /** Names of the providers, each with its own pair of queues. */
  providers?: readonly string[];
  /** The most connections for statements on Postgres. Each worker holds one more. */
  poolMax?: number;
  /** The longest time that a hint may delay its caller. */
  hintWaitMs?: number;
  /** The registry for the counters of lost locks, stalled jobs and failed jobs. */
  registry?: Frame['registry'];
}>;

// A request waits at most half a second for a queue. The recharge is stored, and the sweeper soon adds a missing job.
const HINT_WAIT_MS = 500;
// Four connections are enough, because statements are short and hints share them. Postgres is slower than four
// connections.
const POOL_MAX = 4;

/**
 * Opens the queues without waiting for their store. So a process can start while the store is away, and works once it
 * is there.
 */
export function openQueues(config: QueuesConfig): Queues {
  return new OpenQueues(config);
}

function jobsOf(hints: readonly QueueHint[]): JobData[] {
  const jobs: JobData[] = [];
  for (let at = 0; at < hints.length; at += IDS_PER_JOB_MAX)
    jobs.push(jobDataOf(hints.slice(at, at + IDS_PER_JOB_MAX)));
  return jobs;
}

class OpenQueues implements Queues {
  readonly #backend: Backend;
  readonly #config: QueuesConfig;
  readonly #counters: WorkerCounters;
  readonly #faults: Burst;
  readonly #stop = new AbortController();
  readonly #opened = new Map<QueueName, Promise<JobQueue>>();
  readonly #lanes = new Map<QueueName, HintLane<QueueHint>>();
  readonly #workers: WorkerHandle[] = [];
  #closing: Promise<void> | undefined;

  constructor(config: QueuesConfig) {
    const { redisUrl, databaseUrl, poolMax = POOL_MAX, log } = config;
    this.#config = config;
    this.#backend = redisUrl
      ? openRedis(redisUrl, prefixSource(config.prefix, databaseUrl), log)
      : openPostgres(databaseUrl, poolMax, log);
    this.#counters = openCounters(config.registry);
    this.#faults = new Burst(log, 'hinting');
  }

  get backend() {
    return this.#backend.kind;
  }

  async hint(name: QueueName, ids: readonly string[], from = activeSpan()): Promise<boolean> {
    if (ids.length === 0) return true;
    try {
      if (this.#backend.isAway()) throw new Error('the queue store is away');
      await sending(name, { ids, from }, (hints) => this.#lane(name).send(hints));
      this.#faults.recovered();
      return true;
    } catch (error) {
      this.#backend.noteError(error);
      this.#faults.failed(error);
      return false;
    }
  }

  work(name: QueueName, handler: Handler, options: WorkOptions): WorkerHandle {
    const deps = {
      backend: this.#backend,
      queue: (wanted: QueueName) => this.#queue(wanted),
      counters: this.#counters,
      log: this.#config.log,
    };
    const worker = new RunningWorker(deps, name, handler, options);
    this.#workers.push(worker);
    return worker;
  }

  async room(names: readonly QueueName[]): Promise<number[]> {
    await this.#backend.ping();
    const most = Math.ceil(IDS_WAITING_MAX / IDS_PER_JOB_MAX);
    const waiting =
      (await this.#backend.waiting?.(names, most)) ??
      (await Promise.all(names.map(async (name) => (await this.#queue(name)).getWaitingCount())));
    return waiting.map((jobs) => Math.max(0, IDS_WAITING_MAX - jobs * IDS_PER_JOB_MAX));
  }

  async depth(): Promise<QueueDepth[]> {
    const queues = await this.#catalogue();
    const counted = await Promise.all(queues.map((queue) => queue.getJobCounts(...DEPTH_STATES)));
    return queues.flatMap((queue, at) =>
      DEPTH_STATES.map((state) => ({
        queue: queue.name as QueueName,
        state,
        count: counted[at]?.[state] ?? 0,
      })),
    );
  }

  async eviction(): Promise<Eviction | null> {
    return (await this.#backend.eviction?.()) ?? null;
  }

  ping(): Promise<void> {
    return this.#backend.ping();
  }

  boards(): Promise<Queue[]> {
    return this.#catalogue();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.close()));
    this.#stop.abort();
    const opened = await Promise.allSettled(this.#opened.values());
    await Promise.all(opened.map((queue) => queue.status === 'fulfilled' && queue.value.close()));
    await this.#backend.close();
  }

  #lane(name: QueueName): HintLane<QueueHint> {
    const { hintWaitMs = HINT_WAIT_MS } = this.#config;
    const lane =
      this.#lanes.get(name) ?? new HintLane<QueueHint>((hints) => this.#add(name, hints), hintWaitMs);
    this.#lanes.set(name, lane);
    return lane;
  }

  async #add(name: QueueName, hints: readonly QueueHint[]): Promise<void> {
    const queue = await this.#queue(name);
    const jobs = jobsOf(hints).map((data) => ({ name, data }));
    // A lone job is added by `add`, because `addBulk` makes temporary tables on Postgres.
    if (jobs.length === 1) await queue.add(name, jobs[0]!.data);
    else await queue.addBulk(jobs);
  }

  #catalogue(): Promise<JobQueue[]> {
    const { providers = ['sandbox'] } = this.#config;
    return Promise.all(queueNames(providers).map((name) => this.#queueNow(name)));
  }

  /** Unlike `#queue`, this method fails immediately if the store is away. */
  async #queueNow(name: QueueName): Promise<JobQueue> {
    await this.#backend.ping();
    return this.#queue(name);
  }

  #queue(name: QueueName): Promise<JobQueue> {
    const known = this.#opened.get(name);
    if (known) return known;
    const opening = this.#open(name);
    this.#opened.set(name, opening);
    opening.catch(() => this.#opened.delete(name));
    return opening;
  }

  /**
   * Builds a queue. A queue of BullMQ never recovers from a failed first contact. So it is built only when the store
   * can be reached, and built again after a failure.
   */
  async #open(name: QueueName): Promise<JobQueue> {
    await this.#backend.reachable(this.#stop.signal);
    await this.#backend.prepareQueue?.(name);
    const queue = this.#backend.buildQueue(name);
    queue.on('error', (error) => this.#backend.noteError(error));
    await queue.waitUntilReady();
    return queue;
  }
}
