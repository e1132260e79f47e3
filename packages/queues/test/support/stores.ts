import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll } from '@jest/globals';
import { createLogger } from '@replenish/runtime';
import { Redis } from 'ioredis';
import pg from 'pg';
import { openQueues, type Queues, type QueuesConfig } from '../../src/index.js';

/** One of the two kinds of queue stores, private to a test file. */
export interface Store {
  readonly name: 'redis' | 'postgres';
  /** The address of the store itself, for tests that put a proxy in front of it. */
  readonly url: string;
  open(settings?: Partial<QueuesConfig>, url?: string): Queues;
  /** Deletes all data at once: FLUSHDB on Redis, or dropping BullMQ's schema on Postgres. */
  wipe(): Promise<void>;
  connections(): Promise<number>;
  drop(): Promise<void>;
}

const log = createLogger('test', 'silent');
// The first hint also opens its queue, which takes long on a busy machine. The hint must not count as lost for that.
const PATIENT_MS = 20_000;

async function postgresStore(adminUrl: string): Promise<Store> {
  const database = `queues_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client(adminUrl);
  await admin.connect();
  await admin.query(`create database ${database}`);
  const url = Object.assign(new URL(adminUrl), { pathname: `/${database}` }).href;
  return {
    name: 'postgres',
    url,
    open: (settings, databaseUrl = url) =>
      openQueues({ log, databaseUrl, hintWaitMs: PATIENT_MS, ...settings }),
    wipe: async () => {
      const client = new pg.Client(url);
      await client.connect();
      try {
        await dropSchema(client);
      } finally {
        await client.end();
      }
    },
    connections: async () => {
      const found = await admin.query('select count(*)::int as n from pg_stat_activity where datname = $1', [
        database,
      ]);
      return found.rows[0].n;
    },
    drop: async () => {
      await admin.query(`drop database ${database} with (force)`);
      await admin.end();
    },
  };
}

async function redisStore(redisUrl: string): Promise<Store> {
  // One of the lower eight database numbers, since other test files use the upper eight of the same server.
  const number = Number(process.env.JEST_WORKER_ID ?? 1) % 8;
  const url = Object.assign(new URL(redisUrl), { pathname: `/${number}` }).href;
  const admin = new Redis(url);
  await admin.flushdb();
  return {
    name: 'redis',
    url,
    open: (settings, address = url) =>
      openQueues({
        log,
        redisUrl: address,
        databaseUrl: 'postgres://127.0.0.1:1/unused',
        prefix: 'test',
        hintWaitMs: PATIENT_MS,
        ...settings,
      }),
    wipe: async () => {
      await admin.flushdb();
    },
    connections: async () => {
      const clients = String(await admin.client('LIST'));
      return clients.split('\n').filter((line) => line.includes(` db=${number} `)).length - 1;
    },
    drop: async () => {
      await admin.flushdb();
      await admin.quit();
    },
  };
}

const { REDIS_URL, TEST_POSTGRES_URL = '' } = process.env;

/** The stores to test. Redis is tested only if REDIS_URL is set. */
export const stores = [
  { name: 'postgres', openStore: () => postgresStore(TEST_POSTGRES_URL) },
  ...(REDIS_URL ? [{ name: 'redis', openStore: () => redisStore(REDIS_URL) }] : []),
];

/** A store for the tests of one `describe`. After each test its queues are closed and its data is deleted. */
export function useStore(openStore: () => Promise<Store>) {
  let store: Store;
  const opened: Queues[] = [];
  beforeAll(async () => {
    store = await openStore();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((queues) => queues.close()));
    await store.wipe();
  });
  afterAll(() => store.drop());
  return {
    store: (): Store => store,
    open: (settings?: Partial<QueuesConfig>, url?: string): Queues => {
      const queues = store.open(settings, url);
      opened.push(queues);
      return queues;
    },
  };
}

/** Repeats the check until it holds. Jest's own time limit ends a wait without success. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 10));
}

/**
 * Drops BullMQ's schema. Workers lock the tables in another order, so the drop may deadlock with a worker. Then it is
 * repeated.
 */
async function dropSchema(client: pg.Client): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await client.query('drop schema if exists bullmq cascade');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '40P01' || tries === 10) throw error;
    }
  }
}
