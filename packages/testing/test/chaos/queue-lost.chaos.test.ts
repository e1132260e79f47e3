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
  // The processes run as the owner of the database. Their usual role may neither drop the schema nor make it again.
  const { url, release } = await createDatabase();
  stage = await openStage({ database: { url, release } });
  ({ fleet, producer, db } = stage);
  await producer.fund();
});

afterAll(() => stage?.close());

/** Deletes all jobs and schedules from the queue store of this run. */
async function emptyQueues(): Promise<boolean> {
  if (process.env.REDIS_URL) return (await privateRedis(process.env.REDIS_URL)) !== '';
  const { rows } = await db.query<{ tables: string | null }>(
    `select string_agg(format('%I.%I', schemaname, tablename), ', ') as tables from pg_tables
      where schemaname = 'bullmq' and tablename not like '%migration%'`,
  );
  return rows[0]?.tables ? struck(`truncate ${rows[0].tables} cascade`) : false;
}

/** Drops the whole schema on Postgres. On Redis it deletes all keys. */
const dropQueues = (): Promise<boolean> =>
  process.env.REDIS_URL ? emptyQueues() : struck('drop schema if exists bullmq cascade');

/** Runs a statement. False if Postgres ended it because of a deadlock with statements of the queues. */
async function struck(statement: string): Promise<boolean> {
  try {
    await db.query(statement);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code !== '40P01') throw error;
    return false;
  }
}

/** Sends the load and calls `strike` every few hundred milliseconds meanwhile, at least five times. */
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

test('emptied again and again, the queues recover, and each recharge ends once', async () => {
  await loadUnder(emptyQueues, seed());
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

test('dropped again and again, the queues are made anew', async () => {
  await loadUnder(dropQueues, seed() + 1);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

test('no process was restarted', () => {
  const names = [
    'sandbox',
    'ingress',
    'submission-worker',
    'webhook-worker',
    'reconciliation-worker',
  ] as const;
  expect(names.map((name) => fleet.process(name).starts)).toEqual([1, 1, 1, 1, 1]);
});
