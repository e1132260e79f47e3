import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import { until } from '../../src/until.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 1_000;

// The queues are on Postgres, and also on Redis where there is one.
const redis = process.env.REDIS_URL;
const queues = [['Postgres', null] as const, ...(redis ? [['Redis', redis] as const] : [])];

describe.each(queues)('with the queues on %s', (_name, redisUrl) => {
  let stage: WholeStage;
  let db: pg.Client;

  beforeAll(async () => {
    stage = await WholeStage.open({ redisUrl, workers: 2 });
    db = new pg.Client({ connectionString: stage.fleet.databaseUrl });
    await db.connect();
  });
  afterAll(async () => {
    await db?.end();
    await stage?.close();
  });

  const fill = (cash: number) =>
    stage.control('alibaba/fund-accounts', { id: 'fa-main', currency: 'CNY', cash });

  /** How many of these recharges are in each state, or wait for money. */
  async function countsOf(ids: readonly string[]): Promise<Record<string, number>> {
    const { rows } = await db.query<{ is: string; count: number }>(
      `select case when waiting ->> 'reason' = 'SOURCE_FUNDS' then 'SOURCE_FUNDS' else state::text end as is,
              count(*)::int as count
         from recharge_transaction where id = any($1::uuid[]) group by 1`,
      [ids],
    );
    return Object.fromEntries(rows.map(({ is, count }) => [is, count]));
  }

  test('of 50 orders at one moment a pool for 30 pays 30, 20 wait for money, and go on once there is more', async () => {
    await fill(30 * AMOUNT);
    const payees = await Promise.all(Array.from({ length: 50 }, () => stage.newPayee()));
    const ids = await Promise.all(
      payees.map(({ accountId }) => stage.recharge(accountId, 'fund_account', AMOUNT)),
    );
    let counts = {};
    const isDivided = async () => {
      counts = await countsOf(ids);
      return (
        counts && JSON.stringify(Object.entries(counts).sort()) === '[["SOURCE_FUNDS",20],["SUCCEEDED",30]]'
      );
    };
    await until(isDivided, { limitMs: TEST_LIMIT_MS / 4, everyMs: 250 }, '30 paid and 20 waiting').catch(
      (error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(counts)}`);
      },
    );
    await fill(1_000 * AMOUNT);
    for (const id of ids) await stage.succeeds(id, 1);
    for (const { to } of payees) expect(await stage.transfersTo(to)).toMatchObject([{ amount: AMOUNT }]);
  });

  test('of orders between the same two accounts one is under way at a time, and each arrives', async () => {
    const { accountId, to } = await stage.newPayee();
    const ids = await Promise.all(
      Array.from({ length: 4 }, () => stage.recharge(accountId, 'fund_account', AMOUNT)),
    );
    for (const id of ids) await stage.succeeds(id, 1);
    expect(await stage.transfersTo(to)).toHaveLength(4);
    const { rows } = await db.query<{ isAfter: boolean }>(
      `select min(c.started_at) >= lag(max(r.succeeded_at)) over (order by min(c.started_at)) as "isAfter"
         from report.recharges r join report.provider_calls c using (transaction_id)
        where r.transaction_id = any($1::uuid[]) and c.operation = 'submit' group by r.transaction_id
        order by min(c.started_at)`,
      [ids],
    );
    expect(rows.map(({ isAfter }) => isAfter)).toEqual([null, true, true, true]);
  });

  test('the invariants hold', async () => {
    expect(await checkBooks(stage.fleet)).toEqual([]);
  });
});
