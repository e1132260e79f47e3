import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { mix } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { openStage, type Stage, seed, TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const RECHARGES = 500;
const RSS_MAX_MB = 200;
/** The limit for a process with the vendors' SDKs. Three of them take 20 to 35 MB each in a process that calls them. */
const RSS_WITH_SDKS_MAX_MB = 220;
const names = ['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;

let stage: Stage;
let fleet: Fleet;
let producer: Producer;

beforeAll(async () => {
  stage = await openStage();
  ({ fleet, producer } = stage);
});

afterAll(() => stage?.close());

/** The resident memory by the kernel's count. */
function rssMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1];
  return Math.round(Number(kilobytes) / 1024);
}

const measured = (of: Fleet) => Object.fromEntries(names.map((name) => [name, rssMb(of.process(name).pid)]));
const above = (megabytes: Record<string, number>, max: number) =>
  Object.entries(megabytes).filter(([, one]) => one > max);

test(`${RECHARGES} recharges later, each process runs and has little memory`, async () => {
  await producer.fund();
  const before = measured(fleet);
  await producer.sendAll(mix(seed(), RECHARGES), 16);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
  const after = measured(fleet);
  process.stderr.write(`RSS in MB before ${JSON.stringify(before)}, after ${JSON.stringify(after)}\n`);
  expect(above(after, RSS_MAX_MB)).toEqual([]);
  expect(names.map((name) => fleet.process(name).starts)).toEqual(names.map(() => 1));
});

test('each process has little memory after recharges by every provider with an SDK', async () => {
  const whole = await WholeStage.open();
  try {
    const payees = await Promise.all(Array.from({ length: 8 }, () => whole.newPayee()));
    await Promise.all(
      payees.flatMap(({ accountId }) =>
        ['credit_card', 'alipay'].map(async (paymentMethod) => {
          for (let n = 0; n < 5; n++) {
            const id = await whole.recharge(accountId, paymentMethod, 1_000);
            if (paymentMethod === 'alipay') await whole.payByAlipay(id);
            await whole.succeeds(id, 2);
          }
        }),
      ),
    );
    const after = measured(whole.fleet);
    process.stderr.write(`RSS in MB with SDKs ${JSON.stringify(after)}\n`);
    expect(above(after, RSS_WITH_SDKS_MAX_MB)).toEqual([]);
    expect(await checkBooks(whole.fleet)).toEqual([]);
  } finally {
    await whole.close();
  }
});
