import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { openPool, plainSession } from '@replenish/runtime/postgres';
import { checkBooks } from '../../src/books/books.js';
import { createDatabase, type TestDatabase } from '../../src/fleet/database.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { OwnPgbouncer, type PoolMode } from '../../src/fleet/own/own-pgbouncer.js';
import { ask, mix } from '../../src/load/load.js';
import { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { patience, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const launcher = join(import.meta.dirname, '../../../../apps/cli/bin/replenish.mjs');
const WORDS =
  'a connection pooler (such as PgBouncer in transaction mode) hands each transaction to another session';

let database: TestDatabase;
let bouncer: OwnPgbouncer;
let fleet: Fleet | undefined;

/** The database. The owner connects to it directly, and the processes connect through the pooler. */
const pooled = (): TestDatabase => ({
  url: database.url,
  appUrl: bouncer.through(database.appUrl!),
  release: async () => {},
});

async function openBouncer(mode: PoolMode): Promise<void> {
  bouncer = await OwnPgbouncer.open(mode, [database.appUrl!, database.url]);
}

beforeAll(async () => {
  database = await createDatabase();
});
afterEach(async () => {
  await fleet?.stop();
  fleet = undefined;
  await bouncer.close();
});
afterAll(() => database.release());

/** The output of an operator's command that connects through the pooler. */
async function command(...args: string[]): Promise<{ code: number; said: string }> {
  const env = {
    PATH: process.env.PATH,
    NODE_ENV: 'test',
    REPLENISH_DIR: '/nowhere',
    DATABASE_URL: bouncer.through(database.url),
  };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [launcher, ...args], { env });
    return { code: 0, said: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, said: stdout + stderr };
  }
}

describe('in session mode', () => {
  test('recharges of every scenario end once, and the commands work', async () => {
    await openBouncer('session');
    expect(await command('migrate')).toEqual({ code: 0, said: 'nothing to apply\n' });
    fleet = await startFleet({ database: pooled(), redisUrl: null, env: patience });
    const producer = await Producer.open(fleet);
    await producer.fund();
    const { transactionId } = await producer.send(ask('ok'));
    await producer.reaches(transactionId!, 'SUCCEEDED');
    const answers = await producer.sendAll(mix(seed(), 60), 8);
    producer.close();
    expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
    expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
    expect(await command('verify')).toMatchObject({ code: 0 });
  });
});

describe.each(['transaction', 'statement'] as const)('in %s mode', (mode) => {
  test.each([['migrate'], ['verify'], ['client', 'list']])('%s refuses, and says why', async (...args) => {
    await openBouncer(mode);
    const { code, said } = await command(...args.filter((one) => typeof one === 'string'));
    expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining(WORDS) });
  });

  test('forty pools that open at once are all refused, although each disturbs the look of the others', async () => {
    await openBouncer(mode);
    const databaseUrl = bouncer.through(database.appUrl!);
    const pools = Array.from({ length: 40 }, () =>
      openPool({ databaseUrl, pins: plainSession, max: 1, connectLimitMs: 30_000 }).on('error', () => {}),
    );
    const said = await Promise.all(
      pools.map((pool) =>
        pool.query('select 1').then(
          () => 'let in',
          (error: Error) => error.message,
        ),
      ),
    );
    await Promise.all(pools.map((pool) => pool.end()));
    expect(said.filter((one) => !one.startsWith(WORDS))).toEqual([]);
  });

  test('no process is ready, each log says why, and a recharge is refused until later', async () => {
    await openBouncer(mode);
    const names = ['ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;
    fleet = await startFleet({ database: pooled(), redisUrl: null, processes: names, env: patience });
    const running = fleet;
    for (const name of names) {
      await until(() => running.logs(name).includes(WORDS), { limitMs: 20_000 }, `${name} says why`);
      const port = /"metricsPort":(\d+)/.exec(running.logs(name))![1];
      const isRefused = async () => {
        const ready = await fetch(`http://127.0.0.1:${port}/readyz`);
        const { checks } = (await ready.json()) as { checks: { database: string; queue: string } };
        if ([checks.database, checks.queue].every((one) => one.includes(WORDS))) return ready.status === 503;
        throw new Error(JSON.stringify(checks));
      };
      await until(isRefused, { limitMs: 20_000 }, `${name} is not ready, and says why`);
    }
    expect((await fetch(`${fleet.ingressUrl}/readyz`)).status).toBe(503);
    const producer = await Producer.open(fleet);
    const call = await producer.once(ask('ok'));
    producer.close();
    expect(call).toMatchObject({ status: 503, code: 'INTERNAL_ERROR', retryAfter: expect.any(String) });
  });
});
