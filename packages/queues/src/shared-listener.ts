import type pg from 'pg';

// BullMQ's own statement, without its comments. It is the same for all queues.
const LISTEN_JOBS = /^LISTEN bullmq_jobs\b/m;

/**
 * Lets the workers of a process share the session that listens for jobs. Each worker of BullMQ listens on a session of
 * its own, and all of them on one channel. Every change of a job then wakes every listening session of the database, and
 * every new job is sent to each of them. So a process with a queue per provider would pay for each provider that is idle.
 *
 * A worker keeps its own session, whose name BullMQ shows. Only what it would hear there comes from the shared one.
 */
export class SharedListener {
  readonly #pool: pg.Pool;
  readonly #hearing = new Set<pg.PoolClient>();
  #listening: Promise<void> | undefined;
  #listener: pg.PoolClient | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** A session for one worker. */
  async connect(): Promise<pg.PoolClient> {
    const client = await this.#pool.connect();
    const { query, release } = client;
    const run = query.bind(client) as (text: string, values?: unknown[]) => Promise<unknown>;
    const hearing = async (text: string, values?: unknown[]) => {
      if (!LISTEN_JOBS.test(text)) return run(text, values);
      await this.#listen();
      this.#hearing.add(client);
      return;
    };
    client.query = hearing as typeof client.query;
    client.release = (error) => {
      this.#hearing.delete(client);
      client.query = query;
      release.call(client, error);
    };
    return client;
  }

  async close(): Promise<void> {
    await this.#listening?.catch(() => {});
    const listener = this.#listener;
    this.#forget();
    listener?.release(true);
  }

  #listen(): Promise<void> {
    this.#listening ??= this.#open().catch((error: unknown) => {
      this.#forget();
      throw error;
    });
    return this.#listening;
  }

  async #open(): Promise<void> {
    const client = await this.#pool.connect();
    client.on('notification', (message) => {
      for (const one of this.#hearing) one.emit('notification', message);
    });
    client.on('error', (error) => this.#lose(client, error));
    try {
      await client.query('listen bullmq_jobs');
      this.#listener = client;
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** A worker takes an error of its session as a reason to take another one and to listen again. */
  #lose(client: pg.PoolClient, error: Error): void {
    if (client !== this.#listener) return;
    this.#forget();
    client.release(true);
    const deaf = [...this.#hearing];
    this.#hearing.clear();
    for (const one of deaf) if (one.listenerCount('error') > 0) one.emit('error', error);
  }

  #forget(): void {
    this.#listening = undefined;
    this.#listener = undefined;
  }
}
