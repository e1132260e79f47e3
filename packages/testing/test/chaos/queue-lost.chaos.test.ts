import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import { createDatabase } from '../../src/fleet/database.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { privateRedis } from '../../src/fleet/redis.js';
import { mix } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { openStage, type Stage, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;

beforeAll(async () => {
  // As the owner: the role of the processes may not make their schema anew, and dropping it takes the owner too.
  const { url, release } = await createDatabase();
  stage = await openStage({ database: { url, release } });
  ({ fleet, producer, db } = stage);
  await producer.fund();
});

afterAll(() => stage?.close());

/** Throws every job and schedule away, wherever the queues of this run live. */
async function emptyQueues(): Promise<boolean> {
  if (process.env.REDIS_URL) return (await privateRedis(process.env.REDIS_URL)) !== '';
  const { rows } = await db.query<{ tables: string | null }>(
    `select string_agg(format('%I.%I', schemaname, tablename), ', ') as tables from pg_tables
      where schemaname = 'bullmq' and tablename not like '%migration%'`,
  );
  return rows[0]?.tables ? struck(`truncate ${rows[0].tables} cascade`) : false;
}

/** The whole schema on Postgres; on Redis there is no more to lose than its keys. */
const dropQueues = (): Promise<boolean> =>
  process.env.REDIS_URL ? emptyQueues() : struck('drop schema if exists bullmq cascade');

/** False when it met statements of the queues half-way and was the one to give in. */
async function struck(statement: string): Promise<boolean> {
  try {
    await db.query(statement);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '40P01') throw error;
    return false;
  }
}

/** Sends the load and lets `strike` fall every few hundred milliseconds until it is sent, five times at least. */
async function loadUnder(strike: () => Promise<boolean>, keys: number): Promise<void> {
  let isSent = false;
  const sent = producer.sendAll(mix(keys, 80), 4).finally(() => {
    isSent = true;
  });
  for (let strikes = 0; !isSent || strikes < 5; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    if (await strike()) strikes++;
  }
  await sent;
}

test('emptied again and again, the queues heal, and everything ends once', async () => {
  await loadUnder(emptyQueues, seed());
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

test('dropped again and again, they are made anew', async () => {
  await loadUnder(dropQueues, seed() + 1);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

test('no process had to be started again', () => {
  const names = [
    'sandbox',
    'ingress',
    'submission-worker',
    'webhook-worker',
    'reconciliation-worker',
  ] as const;
  expect(names.map((name) => fleet.process(name).starts)).toEqual([1, 1, 1, 1, 1]);
});
