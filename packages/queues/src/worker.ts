import { setTimeout as delay } from 'node:timers/promises';
import { Counter, type Frame, type Logger } from '@replenish/runtime';
import { DelayedError, type Job } from 'bullmq';
import pLimit, { type LimitFunction } from 'p-limit';
import type { Backend } from './backend.js';
import { Burst } from './burst.js';
import type { JobData, JobQueue, JobWorker, QueueName } from './catalogue.js';
import { type QueueHint, restOf, working } from './traced.js';
import { Watchdog } from './watchdog.js';

export type Later = Readonly<{ laterAtMs: number }>;

/**
 * Does the work of one id. It runs at least once per hint and may run twice at the same time, since the claim in the
 * database decides. If it throws, the job uses up an attempt. If it returns `laterAtMs` (epoch milliseconds), the job
 * is postponed to that time and uses up no attempt, even if other ids of the job throw.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a handler that has nothing to say ends without a return
export type Handler = (id: string, job: HandlerJob) => Promise<void | Later>;

/** `isTraced`: the hint came from a trace, which the work continues. */
export type HandlerJob = Readonly<{ attemptsMade: number; isTraced: boolean }>;

export interface WorkerHandle {
  /** Whether no id was begun for `stuckAfterMs`, although jobs waited and the store answers. */
  isStuck(): boolean;
  /** Takes no further job and waits for the running handlers. */
  close(): Promise<void>;
}

/**
 * @property concurrency the most ids that are worked on at once
 * @property stuckAfterMs the time without a new id after which a worker is stuck if jobs wait. Default: 30 s. In
 *   production, provider calls with their retries may keep a worker from beginning an id for about 23 s
 */
export type WorkOptions = Readonly<{ concurrency: number; stuckAfterMs?: number }>;

export type WorkerCounters = Readonly<Record<'lostLocks' | 'stalled' | 'failed', Counter<'queue'>>>;

export function openCounters(registry: Frame['registry'] | undefined): WorkerCounters {
  const count = (name: string, help: string) =>
    new Counter({ name, help, labelNames: ['queue'], registers: registry ? [registry] : [] });
  return {
    lostLocks: count(
      'replenish_queue_lost_locks_total',
      'Jobs that ended after another worker had taken them over',
    ),
    stalled: count('replenish_queue_stalled_total', 'Jobs whose worker went silent, given to another'),
    failed: count('replenish_queue_failed_total', 'Handler runs that threw'),
  };
}

// A first contact may fail without delay. Without this pause the worker would be built thousands of times per second.
const REBUILD_AFTER_MS = 200;

type WorkerDeps = Readonly<{
  backend: Backend;
  queue: (name: QueueName) => Promise<JobQueue>;
  counters: WorkerCounters;
  log: Logger;
}>;

/** A worker that starts once its store can be reached, and takes no job after `close`. */
export class RunningWorker implements WorkerHandle {
  readonly #stop = new AbortController();
  readonly #watchdog: Watchdog;
  readonly #errors: Burst;
  readonly #turn: LimitFunction;
  readonly #starting: Promise<JobWorker | undefined>;

  constructor(
    private readonly deps: WorkerDeps,
    private readonly name: QueueName,
    private readonly handler: Handler,
    private readonly options: WorkOptions,
  ) {
    this.#watchdog = new Watchdog(() => deps.queue(name), options.stuckAfterMs ?? 30_000);
    this.#errors = new Burst(deps.log.child({ queue: name }), 'worker');
    this.#turn = pLimit(options.concurrency);
    this.#starting = this.#start();
  }

  isStuck(): boolean {
    return this.#watchdog.isStuck();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#watchdog.close();
    await this.deps.backend.windDown();
    await (await this.#starting)?.close();
  }

  /** A worker of BullMQ never recovers from a failed first contact, so it is built again. */
  async #start(): Promise<JobWorker | undefined> {
    const { signal } = this.#stop;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    while (!signal.aborted) {
      try {
        await this.deps.backend.reachable(signal);
        const worker = this.#build();
        const isReady = await Promise.race([
          worker.waitUntilReady().then(
            () => true,
            () => false,
          ),
          stopped.then(() => true),
        ]);
        if (isReady) return worker;
        await worker.close(true);
      } catch (error) {
        if (!signal.aborted) this.#errors.failed(error);
      }
      await delay(REBUILD_AFTER_MS, undefined, { signal }).catch(() => {});
    }
    return undefined;
  }

  #build(): JobWorker {
    const { backend, counters } = this.deps;
    const worker = backend.buildWorker(this.name, (job, token) => this.#process(job, token), {
      // A job may hold a single id, so the worker takes as many jobs at once as it works on ids.
      concurrency: this.options.concurrency,
      // By default BullMQ sleeps 15 s after a refused connection. Money should not wait that long after a restart.
      runRetryDelay: 1_000,
    });
    worker.on('active', () => this.#errors.recovered());
    worker.on('stalled', () => counters.stalled.inc({ queue: this.name }));
    worker.on('error', (error) => {
      if (isLostLock(error)) return counters.lostLocks.inc({ queue: this.name });
      backend.noteError(error);
      this.#errors.failed(error);
    });
    return worker;
  }

  /**
   * Runs the ids of a job. A job that is postponed or fails keeps only its unfinished ids, so that the next run does
   * not repeat finished work.
   */
  async #process(job: Job<JobData>, token: string | undefined): Promise<void> {
    const { ids, traces } = job.data;
    const hints = ids.map((id, at) => ({ id, traceparent: traces?.[at] ?? null }));
    const runs = await Promise.all(hints.map((hint) => this.#turn(() => this.#run(hint, job.attemptsMade))));
    const times = runs.flatMap((run) => (run === 'done' || run instanceof Error ? [] : run.laterAtMs));
    const isPostponed = times.length > 0;
    // A job is either postponed or failed as a whole. If it failed, its postponed ids would run too early, and the last
    // attempt would lose them. So it is postponed, which uses up no attempt, and its failed ids wait with it. On the
    // last attempt the failed ids are dropped, and the sweeper adds them again.
    const isDropped = isPostponed && isLastAttempt(job);
    const open = restOf(job.data, (at) => runs[at] !== 'done' && !(isDropped && runs[at] instanceof Error));
    if (open.ids.length === 0) return;
    if (open.ids.length < ids.length) await job.updateData(open);
    if (!isPostponed) throw runs.find((run) => run instanceof Error);
    await job.moveToDelayed(Math.max(...times), token);
    throw new DelayedError();
  }

  async #run(hint: QueueHint, attemptsMade: number): Promise<'done' | Later | Error> {
    // A closing worker begins no id. The next worker takes the ids that waited for their turn.
    if (this.#stop.signal.aborted) return { laterAtMs: Date.now() };
    this.#watchdog.started();
    try {
      const isTraced = hint.traceparent !== null;
      return (
        (await working(this.name, hint, () => this.handler(hint.id, { attemptsMade, isTraced }))) ?? 'done'
      );
    } catch (error) {
      this.deps.counters.failed.inc({ queue: this.name });
      this.deps.log.warn({ err: error, queue: this.name, id: hint.id, attemptsMade }, 'job failed');
      // The store and its dashboard get only the kind of the error, because a message may quote private data.
      return new Error(error instanceof Error ? error.name : 'not an Error');
    }
  }
}

const isLastAttempt = ({ attemptsMade, opts }: Job): boolean => attemptsMade + 1 >= (opts.attempts ?? 1);

/**
 * Whether the error says that another worker took the job over. Each store words this error differently. It needs no
 * more than a count, because the effect of the work is recorded.
 */
const isLostLock = (error: Error): boolean =>
  /missing lock|lock mismatch|not in the active state/i.test(error.message);
