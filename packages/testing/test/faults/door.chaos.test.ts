import { createHash, createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { bearer, client, withBooks } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { patience, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

const CALLS = 500;
const CALLERS = 20;
const LIMIT_MS = 1_000;
const IDLE = 600;
// Enough connections for the callers of these tests, which keep their connections for a while.
const CONNECTIONS_MAX = IDLE + 100;

type Sent = Readonly<{ headers: Record<string, string>; body?: string }>;
/** `sentAtMs` is on the clock of `performance`. */
type Told = Readonly<{ method: string; status: number; sentAtMs: number; transactionId: string | null }>;

let fleet: Fleet;
let db: pg.Client;

beforeAll(async () => {
  // Overload never refuses a call here, because these tests are about permissions.
  const calm = { OVERLOAD_DELAY_MS: '60000', INGRESS_CONNECTIONS_MAX: String(CONNECTIONS_MAX) };
  const env = { ...patience, ...calm };
  fleet = await startFleet({ ingress: 2, env });
  db = new pg.Client({ connectionString: fleet.databaseUrl });
  await db.connect();
});

afterAll(async () => {
  await db?.end();
  await fleet?.stop();
});

/** Calls alternate between the two ingress processes. */
async function call(n: number, method: string, path: string, { headers, body }: Sent): Promise<Told> {
  const sentAtMs = performance.now();
  const answer = await fetch(fleet.ingressUrls[n % 2]! + path, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  const { transactionId = null } = (await answer.json()) as { transactionId?: string };
  return { method, status: answer.status, sentAtMs, transactionId };
}

const recharge = (): string =>
  JSON.stringify({ accountId: 'acct-1', amount: 1, currency: 'USD', idempotencyKey: randomUUID() });

const list = (n: number, key: NewKey, headers: Record<string, string> = {}) =>
  call(n, 'GET', '/v1/recharges?limit=1', { headers: { authorization: bearer(key), ...headers } });

const statusesOf = (told: readonly Told[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of told) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

const ofClient = async (key: NewKey): Promise<{ transaction_id: string; state: string }[]> =>
  (await db.query('select transaction_id, state from report.recharges where client_id = $1', [key.clientId]))
    .rows;

/** Calls both processes while `change` is committed, until there are enough calls and a second has passed. */
async function whileCallsRun(
  key: NewKey,
  change: () => Promise<unknown>,
): Promise<{ told: Told[]; changedAtMs: number }> {
  const told: Told[] = [];
  let isOver = false;
  const callers = Array.from({ length: CALLERS }, async (_, nth) => {
    for (let n = nth; !isOver; n++) {
      const headers = { authorization: bearer(key) };
      told.push(
        await (n % 3 ? list(n, key) : call(n, 'POST', '/v1/recharges', { headers, body: recharge() })),
      );
    }
  });
  await until(() => told.length >= CALLS / 2, { limitMs: 60_000 }, 'calls that run');
  await change();
  const changedAtMs = performance.now();
  const isEnough = () => told.length >= CALLS && performance.now() > changedAtMs + 1.3 * LIMIT_MS;
  await until(isEnough, { limitMs: 60_000 }, 'calls that run on');
  isOver = true;
  await Promise.all(callers);
  return { told, changedAtMs };
}

/** Checks that each answered recharge exists and ends as it should, and that no other is stored. */
async function expectAcceptedGoesOn(key: NewKey, told: readonly Told[]): Promise<void> {
  const accepted = told.flatMap(({ transactionId }) => transactionId ?? []).sort();
  const isDone = async () => (await ofClient(key)).every(({ state }) => state === 'SUCCEEDED');
  await until(isDone, { limitMs: 120_000 }, 'all that was accepted SUCCEEDED');
  const stored = (await ofClient(key)).map(({ transaction_id }) => transaction_id).sort();
  expect(stored).toEqual(accepted);
  expect(accepted.length).toBeGreaterThan(50);
}

test('a key is revoked while calls run: a second later all calls are refused, and accepted recharges continue', async () => {
  const key = await client(fleet);
  const revoke = () => withBooks(fleet, ({ clients }) => clients.revoke(key.keyId));
  const { told, changedAtMs } = await whileCallsRun(key, revoke);
  const late = told.filter(({ sentAtMs }) => sentAtMs > changedAtMs + LIMIT_MS);
  expect(Object.keys(statusesOf(late))).toEqual(['401']);
  expect(Object.keys(statusesOf(told)).sort()).toEqual(['200', '202', '401']);
  await expectAcceptedGoesOn(key, told);
});

test('a key loses its write scope while calls run: it can still read, and no longer write', async () => {
  const key = await client(fleet);
  const narrow = () =>
    db.query(`update api_key set scopes = array_remove(scopes, 'recharges:write') where id = $1`, [
      key.keyId,
    ]);
  const { told, changedAtMs } = await whileCallsRun(key, narrow);
  const late = told.filter(({ sentAtMs }) => sentAtMs > changedAtMs + LIMIT_MS);
  const lateBy = (method: string) => Object.keys(statusesOf(late.filter((one) => one.method === method)));
  expect(lateBy('POST')).toEqual(['403']);
  expect(lateBy('GET')).toEqual(['200']);
  expect(told.filter(({ status }) => ![200, 202, 403].includes(status))).toEqual([]);
  await expectAcceptedGoesOn(key, told);
});

/** The headers of a v1 signature, as the documentation describes them. */
function signed({ keyId, secret }: NewKey, nonce: string, body: string): Record<string, string> {
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const bodyHash = createHash('sha256').update(body).digest('hex');
  const lines = ['v1', 'POST', '/v1/recharges', timestamp, nonce, bodyHash].join('\n');
  const signature = createHmac('sha256', secret).update(lines).digest('hex');
  return {
    authorization: `Bearer ${keyId}`,
    'x-timestamp': timestamp,
    'x-nonce': nonce,
    'x-signature': `v1=${signature}`,
  };
}

test('of a hundred copies with one nonce at once over two processes, one is accepted', async () => {
  const key = await client(fleet, { requireSignature: true });
  for (const nonce of [randomUUID(), randomUUID()]) {
    const body = recharge();
    const headers = signed(key, nonce, body);
    const copies = Array.from({ length: 100 }, (_, n) => call(n, 'POST', '/v1/recharges', { headers, body }));
    const told = statusesOf(await Promise.all(copies));
    expect(told).toEqual({ 202: 1, 401: 99 });
  }
  expect(await ofClient(key)).toHaveLength(2);
});

async function metric(nth: number, line: string): Promise<number> {
  const port = /"metricsPort":(\d+)/.exec(fleet.process('ingress', nth).log())![1];
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return Number(new RegExp(`^${line}[^ ]* (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
}

const badSignatures = async (): Promise<number> => {
  const line = 'replenish_security_events_total\\{rule="bad_signature"';
  return (await metric(0, line)) + (await metric(1, line));
};

async function filed({ keyId }: NewKey): Promise<number> {
  const { rows } = await db.query<{ sum: number }>(
    `select coalesce(sum(count), 0)::int as sum from security_event where key_id = $1 and rule = 'bad_signature'`,
    [keyId],
  );
  return rows[0]!.sum;
}

test('a thousand wrong secrets lock the key on both processes, raise the alarm, and none is accepted', async () => {
  const [key, bystander] = [await client(fleet), await client(fleet)];
  const before = await badSignatures();
  const told: Told[] = [];
  for (let round = 0; round < 20; round++) {
    const tries = Array.from({ length: 50 }, (_, n) => list(n, { ...key, secret: `rs_${round}_${n}` }));
    told.push(...(await Promise.all(tries)));
  }
  expect(statusesOf(told)).toEqual({ 401: 1_000 });
  expect((await badSignatures()) - before).toBe(1_000);
  for (const n of [0, 1])
    await until(
      async () => (await list(n, key)).status === 403,
      { limitMs: 30_000 },
      `a lock in process ${n}`,
    );
  const lockLine = new RegExp(`"rule":"bad_signature","keyId":"${key.keyId}".*"msg":"the key is locked"`);
  await until(async () => lockLine.test(fleet.logs('ingress')), { limitMs: 30_000 }, 'the lock in the log');
  expect((await list(0, bystander)).status).toBe(200);
  // Suspicions that are reported after the unlock count towards the next lock.
  await until(async () => (await filed(key)) === 1_000, { limitMs: 30_000 }, 'a thousand reports');
  expect(await withBooks(fleet, ({ security }) => security.unlock(key.keyId))).toBe(true);
  for (const n of [0, 1])
    await until(async () => (await list(n, key)).status === 200, { limitMs: 30_000 }, `a key freed in ${n}`);
});

test('a header does not change the address of a caller', async () => {
  const key = await client(fleet, { ipAllow: ['203.0.113.0/24'] });
  const names = ['x-forwarded-for', 'x-real-ip', 'forwarded', 'true-client-ip', 'x-client-ip'];
  const value = (name: string) => (name === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9');
  const told = await Promise.all(names.map((name, n) => list(n, key, { [name]: value(name) })));
  expect(statusesOf(told)).toEqual({ 403: names.length });
  const rows = async () =>
    (await db.query<{ ip: string }>('select ip::text as ip from audit_call where key_id = $1', [key.keyId]))
      .rows;
  await until(async () => (await rows()).length === names.length, { limitMs: 30_000 }, 'the trail');
  expect(new Set((await rows()).map(({ ip }) => ip.replace('/32', '')))).toEqual(new Set(['127.0.0.1']));
});

test('two processes share one limit', async () => {
  const key = await client(fleet, { rateLimitPerMinute: 30 });
  const told = await Promise.all(Array.from({ length: 90 }, (_, n) => list(n, key)));
  expect(statusesOf(told)).toEqual({ 200: 30, 429: 60 });
});

/** Connections to the first process that send nothing. */
const idle = (count: number): Promise<Socket[]> =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect(Number(new URL(fleet.ingressUrl).port), '127.0.0.1');
      // The socket has to be read, because otherwise the end of the connection would not be noticed.
      socket.on('error', () => {}).resume();
      await once(socket, 'connect');
      return socket;
    }),
  );

test(`${IDLE} idle connections block no caller, and beyond the limit the oldest idle ones are closed`, async () => {
  const key = await client(fleet);
  const within: Socket[] = [];
  const told: Told[] = [];
  // The connections are opened some at a time. The kernel queues 511 of a burst for the process, and the others retry
  // seconds later.
  while (within.length < IDLE) {
    within.push(...(await idle(200)));
    told.push(await list(0, key), await list(0, key));
  }
  expect(statusesOf(told)).toEqual({ 200: told.length });
  // The connections in the order in which they end. A connection that is silent for ten seconds ends too, so the oldest
  // end first.
  const ended: Socket[] = [];
  for (const socket of within) socket.once('close', () => ended.push(socket));
  // A connection that is younger than a second may still send its first request, so it is not closed for a new one.
  await sleep(1_500);
  const beyond = await idle(200);
  for (const socket of beyond) socket.once('close', () => ended.push(socket));
  try {
    await until(() => ended.length >= 100, { limitMs: 30_000 }, 'a hundred closed');
    const isOfThem = new Set(beyond);
    expect(ended.slice(0, 100).filter((socket) => isOfThem.has(socket)).length).toBe(0);
    const line = 'replenish_connections_closed_total\\{reason="idle"';
    expect(await metric(0, line)).toBeGreaterThan(0);
  } finally {
    for (const socket of [...within, ...beyond]) socket.destroy();
  }
  await until(async () => (await list(0, key)).status === 200, { limitMs: 30_000 }, 'an answer afterwards');
});

test('the metrics are on a port of their own, away from the public one', async () => {
  for (const url of [...fleet.ingressUrls, fleet.sandboxUrl])
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
});

test('the invariants hold', async () => {
  expect(await checkBooks(fleet, { calls: [] })).toEqual([]);
});
