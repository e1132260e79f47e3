import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { checkBooks } from '../../src/books/books.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { bearer, client, get, post } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { patience, TEST_LIMIT_MS } from '../support/setting.js';
import { Receiver } from './receiver.js';

jest.setTimeout(TEST_LIMIT_MS);

const LIMIT = { limitMs: TEST_LIMIT_MS / 8 };
const scopes = [
  ...['recharges:write', 'recharges:read', 'refunds:write', 'cases:read'],
  ...['callbacks:read', 'callbacks:write'],
];

let receiver: Receiver;
let fleet: Fleet;

beforeAll(async () => {
  receiver = await Receiver.open();
  fleet = await startFleet({
    redisUrl: process.env.REDIS_URL ?? null,
    processes: [
      'sandbox',
      'ingress',
      'submission-worker',
      'webhook-worker',
      'reconciliation-worker',
      'callback-worker',
    ],
    env: { ...patience, CALLBACK_ALLOW: receiver.place, CALLBACK_SCHEDULE_MS: '200,400,800' },
  });
});
afterAll(async () => {
  receiver?.close();
  await fleet?.stop();
});

/** A client of its own, so that each test hears only its own events. */
async function caller() {
  const headers = { authorization: bearer(await client(fleet, { scopes })) };
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${fleet.ingressUrl}${path}`, {
      method,
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text ? JSON.parse(text) : {}) as Record<string, unknown> };
  };
  return { headers, call };
}

const recharge = (over: object = {}) => ({ accountId: 'acct-1', amount: 4_999, currency: 'USD', ...over });

async function create(headers: Record<string, string>, over: object = {}): Promise<string> {
  const { status, body } = await post(fleet, recharge(over), headers);
  expect(status).toBe(202);
  return body.transactionId;
}

const typesAt = (path: string) => receiver.at(path).map(({ body }) => body.type);
const hears = (path: string, types: readonly string[]) =>
  until(() => typesAt(path).join() === types.join(), LIMIT, `${types.join()} at ${path}`).catch(
    (error: Error) => {
      throw new Error(`${error.message}: heard ${typesAt(path).join()}`);
    },
  );

const USUAL = ['recharge.accepted', 'recharge.in_progress', 'recharge.succeeded'];

test('an endpoint hears each step of a recharge in order, with the body of that moment, signed', async () => {
  const { headers, call } = await caller();
  const made = await call('POST', '/v1/callback-endpoints', { url: receiver.url('/steps') });
  expect(made).toMatchObject({
    status: 201,
    body: { status: 'active', secret: expect.stringMatching(/^whsec_/) },
  });
  const id = await create(headers, { orderReference: 'PO-7' });
  await hears('/steps', USUAL);
  const heard = receiver.at('/steps');
  const datas = heard.map(({ body }) => body.data);
  expect(datas).toMatchObject([
    { transactionId: id, state: 'CREATED', status: 'accepted', orderReference: 'PO-7', version: 0 },
    { transactionId: id, state: 'SUBMITTED', status: 'in_progress' },
    { transactionId: id, state: 'SUCCEEDED', status: 'succeeded', amount: 4_999 },
  ]);
  const versions = datas.map(({ version }) => Number(version));
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  const { version: _, ...last } = datas[2]!;
  expect((await get(fleet, `/v1/recharges/${id}`, headers)).body).toEqual(last);
  for (const { text, headers: signed } of heard)
    expect(new Webhook(String(made.body.secret)).verify(text, signed)).toMatchObject({
      type: expect.any(String),
    });
});

test('the callbackUrl of a recharge hears that recharge only, signed with the secret of the client', async () => {
  const { headers, call } = await caller();
  await create(headers, { callbackUrl: receiver.url('/one') });
  await create(headers);
  await hears('/one', USUAL);
  const { body } = await call('GET', '/v1/callback-secret');
  const [first] = receiver.at('/one');
  expect(new Webhook(String(body.secret)).verify(first!.text, first!.headers)).toBeTruthy();
});

test('the invariants hold', async () => {
  expect(await checkBooks(fleet)).toEqual([]);
});
