import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { ask } from '../../src/load/load.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

async function outage(mode: 'down' | 'none'): Promise<void> {
  const response = await fetch(`${stage.fleet.sandboxUrl}/_control/outage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ mode }),
  });
  expect(response.status).toBe(200);
}

/** The gauge of recharges that wait for a provider that is down. */
async function gauge(name: string): Promise<number> {
  const port = /"metricsPort":(\d+)/.exec(stage.fleet.process('reconciliation-worker').log())![1];
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${name}{`) && one.includes('"PROVIDER_DOWN"'));
  return Number(line?.split(' ').at(-1) ?? 0);
}

type Waiting = Readonly<{ reason: string; since: string; until: string | null }> | null;

test('while a provider is down, its recharges say so everywhere, and no longer once it answers', async () => {
  const { producer, db } = stage;
  await outage('down');
  const calls = await Promise.all(Array.from({ length: 30 }, () => producer.send(ask('ok'))));
  const ids = calls.map(({ transactionId }) => transactionId!);
  const limit = { limitMs: TEST_LIMIT_MS / 4 };
  const down = async (): Promise<Waiting> => {
    const { waiting } = (await producer.read(ids.at(-1)!)) as { waiting: Waiting };
    return waiting?.reason === 'PROVIDER_DOWN' ? waiting : null;
  };
  const waiting = await until(down, limit, 'a recharge that waits for the provider');
  expect(waiting!.until! > waiting!.since).toBe(true);
  const isReported = async () => {
    const { rows } = await db.query(`select from report.recharges where waiting = 'PROVIDER_DOWN'`);
    return rows.length > 0;
  };
  await until(isReported, limit, 'a row of the view that says the same');
  const isGauged = async () =>
    (await gauge('replenish_waiting')) > 0 && (await gauge('replenish_money_at_risk')) > 0;
  await until(isGauged, limit, 'gauges that say the same');
  const { rows } = await db.query<{ count: number }>('select count(*)::int as count from provider_breaker');
  expect(rows[0]!.count).toBeLessThanOrEqual(2);
  await outage('none');
  await Promise.all(ids.map((id) => producer.reaches(id, 'SUCCEEDED', TEST_LIMIT_MS)));
  expect(await producer.read(ids.at(-1)!)).toMatchObject({ waiting: null });
});
