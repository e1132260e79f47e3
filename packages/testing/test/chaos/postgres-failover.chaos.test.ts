import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { OwnPair } from '../../src/fleet/own/own-pair.js';
import { type MovableAddress, openMovableAddress } from '../../src/fleet/own/own-redis.js';
import { mix } from '../../src/load/load.js';
import { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { patience, seed, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const names = ['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;

let pair: OwnPair;
let address: MovableAddress;
let fleet: Fleet;
let producer: Producer;

const portOf = (url: string): number => Number(new URL(url).port);
const moving = (url: string): string => Object.assign(new URL(url), { port: String(address.port) }).href;

beforeAll(async () => {
  pair = await OwnPair.open();
  address = await openMovableAddress(portOf(pair.primary.url));
  const { url, appUrl } = pair.primary;
  const database = { url: moving(url), appUrl: moving(appUrl), release: async () => {} };
  fleet = await startFleet({ database, env: patience });
  producer = await Producer.open(fleet);
  await producer.fund();
});

afterAll(async () => {
  producer?.close();
  await fleet?.stop();
  address?.close();
  await pair?.close();
});

const isReady = async (): Promise<boolean> => (await fetch(`${fleet.ingressUrl}/readyz`)).ok;
const statuses = (): (number | null)[] => producer.calls.map(({ status }) => status);
const acknowledged = (): string[] =>
  producer.calls.flatMap(({ status, transactionId }) =>
    transactionId !== null && (status === 202 || status === 200) ? [transactionId] : [],
  );

/** The recharges that the new primary does not have. */
async function lost(ids: readonly string[]): Promise<string[]> {
  const client = new pg.Client(pair.standby.url);
  await client.connect();
  try {
    const { rows } = await client.query<{ id: string }>(
      `select id::text from unnest($1::uuid[]) id
        where not exists (select from report.recharges where transaction_id = id)`,
      [ids],
    );
    return rows.map(({ id }) => id);
  } finally {
    await client.end();
  }
}

test('the primary is killed under load and its standby promoted: nothing acknowledged is lost, all ends once', async () => {
  const pids = names.map((name) => fleet.process(name).pid);
  const sent = producer.sendAll(mix(seed(), 150), 8);
  const before = producer.calls.length;
  await until(() => producer.calls.length >= before + 40, { limitMs: TEST_LIMIT_MS }, 'load before the fall');
  await pair.killPrimary();
  const refused = () => statuses().filter((status) => status === 503).length;
  await until(() => refused() >= 3, { limitMs: 60_000 }, 'refusals while there is no primary');
  const known = acknowledged();
  await pair.promote();
  address.leadTo(portOf(pair.standby.url));
  await until(isReady, { limitMs: 60_000 }, 'ready again');
  expect(await lost(known)).toEqual([]);
  const answers = await sent;

  // 200: the commit stored the recharge, its answer was lost, and the repeated request found it by its key.
  expect(answers.filter(({ status }) => status !== 202 && status !== 200)).toEqual([]);
  expect(statuses().filter((status) => status !== null && ![200, 202, 503].includes(status))).toEqual([]);
  expect(await lost(acknowledged())).toEqual([]);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
  expect(names.map((name) => fleet.process(name).pid)).toEqual(pids);
});

test('no process met what it did not expect', () => {
  const loud = names.flatMap((name) =>
    fleet
      .logs(name)
      .split('\n')
      .filter((line) => /"level":"(error|fatal)"|unhandled|^\s*at /i.test(line)),
  );
  expect(loud).toEqual([]);
});
