import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { sandboxOrders } from '../../src/fleet/producer.js';
import { type EventStatus, eventBody, postEvent } from '../../src/fleet/webhook.js';
import { ask } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;
const eventIds: string[] = [];
const spokenFor: string[] = [];

beforeAll(async () => {
  stage = await openStage();
  ({ fleet, producer, db } = stage);
});

afterAll(() => stage?.close());

/** Makes a recharge for which the test plays the provider from now on. */
async function pending(): Promise<{ id: string; order: Parameters<typeof eventBody>[0] }> {
  const asked = ask('never_settles');
  const id = (await producer.send(asked)).transactionId!;
  spokenFor.push(id);
  await producer.reaches(id, 'PENDING_CONFIRMATION');
  const [order] = await sandboxOrders(fleet, id);
  return { id, order: { ...order!, accountId: asked.accountId } };
}

/** Posts an event until it is accepted, like a provider whose webhook is refused for the moment. */
async function tell(eventId: string, body: string): Promise<void> {
  const posted = async () => {
    const status = await postEvent(fleet, eventId, body);
    return status !== 503 && status;
  };
  expect(await until(posted, { limitMs: 30_000, everyMs: 200 }, `${eventId} taken`)).toBe(200);
  eventIds.push(eventId);
}

const isProcessed = async (eventId: string): Promise<boolean> => {
  const { rows } = await db.query(
    'select from report.webhooks where event_id = $1 and processed_at is not null',
    [eventId],
  );
  return rows.length === 1;
};

const processed = (eventId: string) =>
  until(() => isProcessed(eventId), { limitMs: 30_000 }, `${eventId} processed`);

/** The values of one column for a transaction, in order. */
async function listOf(view: string, column: string, id: string): Promise<string[]> {
  const { rows } = await db.query<[string]>({
    text: `select ${column} from report.${view} where transaction_id = $1 order by 1`,
    values: [id],
    rowMode: 'array',
  });
  return rows.flat();
}

const verdictsOf = async (id: string): Promise<string[]> => {
  const { rows } = await db.query<{ told: string }>(
    `select news || ' ' || verdict as told from report.transitions where transaction_id = $1 and source = 'webhook'
      order by seq`,
    [id],
  );
  return rows.map(({ told }) => told);
};

test('one event a hundred times at once is stored once, with one effect', async () => {
  const { id, order } = await pending();
  const body = eventBody(order, 'settled');
  await Promise.all(Array.from({ length: 100 }, () => tell(`evt-${id}`, body)));
  await processed(`evt-${id}`);
  expect(await producer.read(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await verdictsOf(id)).toEqual(['settled moved']);
  expect(await listOf('postings', 'slot', id)).toEqual(['collect']);
  expect(await listOf('webhooks', 'event_id', id)).toEqual([`evt-${id}`]);
});

type Line = readonly EventStatus[];

const orders: { told: Line; state: string; heard: string[]; cases: string[]; slots: string[] }[] = [
  {
    told: ['settled', 'pending', 'declined'],
    state: 'SUCCEEDED',
    heard: ['settled moved', 'accepted stale', 'declined conflict'],
    cases: ['declined_after_success'],
    slots: ['collect'],
  },
  {
    told: ['settled', 'declined', 'pending'],
    state: 'SUCCEEDED',
    heard: ['settled moved', 'declined conflict', 'accepted stale'],
    cases: ['declined_after_success'],
    slots: ['collect'],
  },
  {
    told: ['pending', 'settled', 'declined'],
    state: 'SUCCEEDED',
    heard: ['accepted stale', 'settled moved', 'declined conflict'],
    cases: ['declined_after_success'],
    slots: ['collect'],
  },
  {
    told: ['pending', 'declined', 'settled'],
    state: 'FAILED',
    heard: ['accepted stale', 'declined moved', 'settled conflict'],
    cases: ['late_money'],
    slots: ['suspense'],
  },
  {
    told: ['declined', 'settled', 'pending'],
    state: 'FAILED',
    heard: ['declined moved', 'settled conflict', 'accepted stale'],
    cases: ['late_money'],
    slots: ['suspense'],
  },
  {
    told: ['declined', 'pending', 'settled'],
    state: 'FAILED',
    heard: ['declined moved', 'accepted stale', 'settled conflict'],
    cases: ['late_money'],
    slots: ['suspense'],
  },
];

test.each(orders)(
  'events $told in this order have one effect, and a contradiction opens a case',
  async (line) => {
    const { id, order } = await pending();
    for (const status of line.told) {
      await tell(`evt-${status}-${id}`, eventBody(order, status));
      await processed(`evt-${status}-${id}`);
    }
    expect(await producer.read(id)).toMatchObject({ state: line.state });
    expect(await verdictsOf(id)).toEqual(line.heard);
    expect(await listOf('cases', 'kind', id)).toEqual(line.cases);
    expect(await listOf('postings', 'slot', id)).toEqual(line.slots);
  },
);

test('all three at once, many times, have one effect and one case, in any order', async () => {
  const recharges = await Promise.all(Array.from({ length: 12 }, pending));
  const statuses = ['settled', 'pending', 'declined'] as const;
  await Promise.all(
    recharges.flatMap(({ id, order }) =>
      statuses.map((status) => tell(`evt-${status}-${id}`, eventBody(order, status))),
    ),
  );
  for (const { id } of recharges) for (const status of statuses) await processed(`evt-${status}-${id}`);
  const ends: string[] = [];
  for (const { id } of recharges) {
    const { state } = await producer.read(id);
    ends.push(
      [state, ...(await listOf('cases', 'kind', id)), ...(await listOf('postings', 'slot', id))].join(),
    );
  }
  const legal = ['SUCCEEDED,declined_after_success,collect', 'FAILED,late_money,suspense'];
  expect(ends.filter((end) => !legal.includes(end))).toEqual([]);
});

test('the invariants hold', async () => {
  expect(await checkBooks(fleet, { calls: producer.calls, eventIds, spokenFor })).toEqual([]);
});
