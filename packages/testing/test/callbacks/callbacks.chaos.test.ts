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
// The limit of one post. A receiver that does not answer keeps a worker busy for this long.
const TIMEOUT_MS = 8_000;
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
    env: {
      ...patience,
      CALLBACK_ALLOW: receiver.place,
      CALLBACK_SCHEDULE_MS: '200,400,800',
      CALLBACK_TIMEOUT_MS: String(TIMEOUT_MS),
    },
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

test('an event that does not arrive is posted again with the same id, before any later one of its recharge', async () => {
  const { headers, call } = await caller();
  receiver.manners = ({ path }, nth) => (path === '/shy' && nth <= 2 ? 503 : 204);
  await call('POST', '/v1/callback-endpoints', { url: receiver.url('/shy') });
  const id = await create(headers);
  await hears('/shy', ['recharge.accepted', 'recharge.accepted', ...USUAL]);
  const ids = receiver.at('/shy').map((heard) => heard.headers['webhook-id']);
  expect(new Set(ids.slice(0, 3)).size).toBe(1);
  expect(new Set(ids).size).toBe(3);
  const { body } = await call('GET', `/v1/callback-deliveries?transactionId=${id}`);
  const first = (body.data as Record<string, unknown>[]).at(-1);
  expect(first).toMatchObject({
    ...{ type: 'recharge.accepted', status: 'delivered', nextAttemptAt: null, eventId: ids[0] },
    attempts: [
      { httpStatus: 503, error: 'answered 503' },
      { httpStatus: 503 },
      { httpStatus: 204, error: null },
    ],
  });
});

test('an event is given up after its schedule, then the next one is posted, and a replay brings it back', async () => {
  const { headers, call } = await caller();
  let isDown = true;
  receiver.manners = ({ path, body }) =>
    path === '/down' && isDown && body.type === 'recharge.accepted' ? 500 : 204;
  await call('POST', '/v1/callback-endpoints', { url: receiver.url('/down') });
  const id = await create(headers);
  const accepted = 'recharge.accepted';
  await hears('/down', [accepted, accepted, accepted, accepted, ...USUAL.slice(1)]);
  isDown = false;
  const listed = await call('GET', `/v1/callback-deliveries?transactionId=${id}&status=failed`);
  const [failed] = listed.body.data as { deliveryId: string; eventId: string; attempts: unknown[] }[];
  expect(failed!.attempts).toHaveLength(4);
  const replayed = await call('POST', `/v1/callback-deliveries/${failed!.deliveryId}/replay`);
  expect(replayed).toMatchObject({ status: 202, body: { status: 'pending', eventId: failed!.eventId } });
  await until(() => receiver.at('/down').length === 7, LIMIT, 'the replayed event');
  expect(receiver.at('/down').at(-1)).toMatchObject({ headers: { 'webhook-id': failed!.eventId } });
});

test('an endpoint that answers 410 is disabled and says why; its events since a time cannot be replayed', async () => {
  const { headers, call } = await caller();
  receiver.manners = ({ path }) => (path === '/gone' ? 410 : 204);
  const made = await call('POST', '/v1/callback-endpoints', { url: receiver.url('/gone') });
  const at = `/v1/callback-endpoints/${made.body.endpointId}`;
  await create(headers);
  const isDisabled = async () => (await call('GET', at)).body.status === 'disabled';
  await until(isDisabled, LIMIT, 'a disabled endpoint');
  expect((await call('GET', at)).body).toMatchObject({ disabledBecause: 'GONE' });
  expect((await call('POST', `${at}/replay`, { since: new Date(0).toISOString() })).status).toBe(409);
  const isLogged = async () => fleet.logs('callback-worker').includes('a callback endpoint was disabled');
  await until(isLogged, LIMIT, 'the log line');
});

test('after a rotation both secrets verify, and the events since a time come again with their ids', async () => {
  const { headers, call } = await caller();
  const since = new Date().toISOString();
  const made = await call('POST', '/v1/callback-endpoints', { url: receiver.url('/rotated') });
  const at = `/v1/callback-endpoints/${made.body.endpointId}`;
  await create(headers);
  await hears('/rotated', USUAL);
  const rotated = await call('POST', `${at}/rotate`);
  expect(rotated.body.secret).not.toBe(made.body.secret);
  expect(await call('POST', `${at}/replay`, { since })).toEqual({ status: 202, body: { replayed: 3 } });
  await hears('/rotated', [...USUAL, ...USUAL]);
  const ids = receiver.at('/rotated').map((heard) => heard.headers['webhook-id']);
  expect(ids.slice(3)).toEqual(ids.slice(0, 3));
  const last = receiver.at('/rotated').at(-1)!;
  for (const { body } of [made, rotated])
    expect(new Webhook(String(body.secret)).verify(last.text, last.headers)).toBeTruthy();
  expect((await call('DELETE', at)).status).toBe(204);
  expect((await call('GET', at)).status).toBe(404);
});

test('private and plain targets are refused when they are written', async () => {
  const { headers, call } = await caller();
  for (const url of [
    'http://127.0.0.1:1/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://169.254.169.254/',
  ]) {
    expect((await call('POST', '/v1/callback-endpoints', { url })).status).toBe(400);
    expect((await post(fleet, recharge({ callbackUrl: url }), headers)).status).toBe(400);
  }
});

test.each(['callback.after-claim', 'callback.after-post'])(
  'a worker that is killed at %s: the event arrives, with one id',
  async (point) => {
    receiver.manners = () => 204;
    const { headers, call } = await caller();
    const path = `/${point}`;
    await call('POST', '/v1/callback-endpoints', { url: receiver.url(path), events: ['recharge.accepted'] });
    fleet.arm(point);
    await create(headers);
    await fleet.crashed(point, LIMIT.limitMs);
    const heardAll = () => receiver.at(path).length === (point === 'callback.after-post' ? 2 : 1);
    await until(heardAll, LIMIT, `the event at ${path}`);
    expect(new Set(receiver.at(path).map((heard) => heard.headers['webhook-id'])).size).toBe(1);
  },
);

test('receivers that hang, write without end, redirect or fail delay no other', async () => {
  const { headers, call } = await caller();
  let cutOffAtMs = Number.POSITIVE_INFINITY;
  receiver.manners = ({ path }, _, response) => {
    if (path.startsWith('/fail')) return 500;
    if (path.startsWith('/redirect')) {
      response.writeHead(302, { location: receiver.url('/inside') }).end();
      return undefined;
    }
    if (path.startsWith('/hang')) {
      response.on('close', () => {
        cutOffAtMs = Math.min(cutOffAtMs, performance.now());
      });
      return undefined;
    }
    if (!path.startsWith('/endless')) return 204;
    response.writeHead(200);
    const timer = setInterval(() => response.write('x'.repeat(256)), 5);
    response.on('close', () => clearInterval(timer));
    return undefined;
  };
  const paths = (kind: string, count: number) => Array.from({ length: count }, (_, n) => `/${kind}-${n}`);
  const bad = ['hang', 'endless', 'redirect', 'fail'].flatMap((kind) => paths(kind, 3));
  const good = paths('good', 40);
  for (const path of [...bad, ...good])
    expect((await call('POST', '/v1/callback-endpoints', { url: receiver.url(path) })).status).toBe(201);
  await create(headers);
  const hearAll = () => good.every((path) => typesAt(path).length === USUAL.length);
  await until(hearAll, LIMIT, 'every event at every healthy receiver');
  // The time to the first event is measured, because the recharge itself may take longer than the limit of a post.
  const firstMs = Math.max(...good.map((path) => receiver.at(path)[0]!.atMs));
  expect(firstMs).toBeLessThan(cutOffAtMs);
  for (const path of good) expect(typesAt(path)).toEqual(USUAL);
  expect(receiver.at('/inside')).toEqual([]);
});

test('the invariants hold', async () => {
  expect(await checkBooks(fleet)).toEqual([]);
});
