import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type LimitStore, openLimitStore } from '@replenish/queues';
import { freePort, privateRedis, until } from '@replenish/testing';
import { openLimits } from '../../src/limits/limits.js';
import { aRecharge, create, type Ingress, openIngress, storedRows } from '../support/ingress.js';

const stores: LimitStore[] = [];

/** Opens an ingress. The second one uses the database of the first. */
const open = async (
  perClient: number | null,
  perAccount: number | null,
  at: { databaseUrl?: string; store?: { databaseUrl?: string; redisUrl?: string } } = {},
): Promise<Ingress> =>
  openIngress({
    ...(at.databaseUrl && { databaseUrl: at.databaseUrl }),
    protection: ({ registry, log }, databaseUrl) => {
      const store = openLimitStore({ databaseUrl, log, ...at.store });
      stores.push(store);
      return { limits: openLimits({ store, perClient, perAccount, log, registry }) };
    },
  });

let one: Ingress;
let other: Ingress;
beforeAll(async () => {
  one = await open(5, null);
  other = await open(5, null, { databaseUrl: one.databaseUrl });
});
afterAll(async () => {
  await other.close();
  await one.close();
  await Promise.all(stores.map((store) => store.close()));
});

const { REDIS_URL } = process.env;
const stored = [
  { name: 'Postgres', store: async () => ({}) },
  ...(REDIS_URL ? [{ name: 'Redis', store: async () => ({ redisUrl: await privateRedis(REDIS_URL) }) }] : []),
];

test.each(stored)('on $name two processes share one limit', async ({ store }) => {
  const at = { databaseUrl: one.databaseUrl, store: await store() };
  const [first, second] = [await open(3, null, at), await open(3, null, at)];
  const [warm, key] = [await one.client(), await one.client()];
  for (const ingress of [first, second]) {
    await until(
      async () =>
        (await ingress.call('GET', '/v1/recharges', { key: warm })).headers.get('ratelimit') !== null,
      { limitMs: 30_000 },
      'the store of limits',
    );
  }
  const faults = await first.metric('replenish_rate_limit_store_faults_total');
  const statuses = [];
  for (const ingress of [first, second, first, second])
    statuses.push((await ingress.call('GET', '/v1/recharges', { key })).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(await first.metric('replenish_rate_limit_store_faults_total')).toBe(faults);
  await Promise.all([first.close(), second.close()]);
});

test('every process tells the same rest of a limit', async () => {
  const key = await one.client();
  const answers = [];
  for (const ingress of [one, other, one, other, one, other, one])
    answers.push(await ingress.call('GET', '/v1/recharges', { key }));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 429, 429]);
  expect(answers.map(({ headers }) => headers.get('ratelimit')?.split(';')[1])).toEqual(
    ['4', '3', '2', '1', '0', '0', '0'].map((left) => `r=${left}`),
  );
  const refused = answers[5]!;
  expect(refused.body).toMatchObject({ code: 'RATE_LIMITED', status: 429 });
  expect(refused.headers.get('ratelimit-policy')).toBe('"client";q=5;w=60');
  const resetSeconds = Number(/;t=(\d+)$/.exec(refused.headers.get('ratelimit')!)![1]);
  expect(resetSeconds).toBeGreaterThan(30);
  expect(resetSeconds).toBeLessThanOrEqual(60);
  expect(Number(refused.headers.get('retry-after'))).toBe(resetSeconds);
});

test('the page of RATE_LIMITED shows the real answer and names both limits', async () => {
  const key = await one.client({ rateLimitPerMinute: 1 });
  const list = () => one.call('GET', '/v1/recharges', { key });
  await list();
  const { detail } = (await list()).body;
  const page = (await one.call('GET', '/docs/errors/RATE_LIMITED')).text;
  expect(page.replace(/ of \d+ requests/, ' of 1 requests')).toContain(
    `"${detail}"`.replaceAll('"', '&quot;'),
  );
  expect(page).toMatch(/the client[^.]*the account/i);
});

test("keys of one client share a count, clients do not, and a key's own limit takes precedence", async () => {
  const key = await one.client({ rateLimitPerMinute: 2 });
  const statuses = [];
  for (let n = 0; n < 3; n++) statuses.push((await one.call('GET', '/v1/recharges', { key })).status);
  expect(statuses).toEqual([200, 200, 429]);
  expect((await other.call('GET', '/v1/recharges', { key: await one.client() })).status).toBe(200);
});

test('a refused request stores nothing and does not use up its idempotency key', async () => {
  const key = await one.client({ rateLimitPerMinute: 1 });
  await one.call('GET', '/v1/recharges', { key });
  const before = await storedRows(one);
  const idempotencyKey = randomUUID();
  const refused = await create(one, key, aRecharge(), { 'idempotency-key': idempotencyKey });
  expect([refused.status, await storedRows(one)]).toEqual([429, before]);

  await one.sql(`delete from rate_limit`);
  const fresh = await open(null, null, { databaseUrl: one.databaseUrl });
  const taken = await create(fresh, key, aRecharge(), { 'idempotency-key': idempotencyKey });
  await fresh.close();
  expect(taken.status).toBe(202);
});

test('calls without a valid proof do not count towards the limit of the key', async () => {
  const key = await one.client({ rateLimitPerMinute: 1 });
  for (let n = 0; n < 3; n++)
    expect((await one.call('GET', '/v1/recharges', { key: { ...key, secret: 'rs_wrong' } })).status).toBe(
      401,
    );
  expect((await one.call('GET', '/v1/recharges', { key })).status).toBe(200);
});

test('an account is limited across clients and processes, others are not', async () => {
  const [first, second] = [
    await open(null, 2, { databaseUrl: one.databaseUrl }),
    await open(null, 2, { databaseUrl: one.databaseUrl }),
  ];
  const [key, otherKey] = [await one.client(), await one.client()];
  const body = aRecharge({ accountId: 'acct-limited' });
  const before = await storedRows(one);
  const statuses = [
    (await create(first, key, body)).status,
    (await create(second, otherKey, body)).status,
    (await create(first, otherKey, body)).status,
  ];
  expect(statuses).toEqual([202, 202, 429]);
  expect(await storedRows(one)).toBe(before + 4);
  expect((await create(second, key, aRecharge({ accountId: 'acct-free' }))).status).toBe(202);
  await Promise.all([first.close(), second.close()]);
});

test('while the store is away each process counts alone and logs it once', async () => {
  const nowhere = `postgres://nobody@127.0.0.1:${await freePort()}/none`;
  const ingress = await open(3, null, { databaseUrl: one.databaseUrl, store: { databaseUrl: nowhere } });
  const key = await one.client();
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await ingress.call('GET', '/v1/recharges', { key })).status);
  expect(statuses).toEqual([200, 200, 200, 429]);
  expect(await ingress.metric('replenish_rate_limit_store_faults_total')).toBe(4);
  expect(ingress.logged.filter(({ message }) => /store of rate limits/.test(message))).toHaveLength(1);
  await ingress.close();
});

test('without a limit no header is sent and nothing is counted', async () => {
  const ingress = await open(null, null, { databaseUrl: one.databaseUrl });
  const key = await one.client();
  const answer = await ingress.call('GET', '/v1/recharges', { key });
  expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
  expect(await one.sql(`select key from rate_limit where key like $1`, [`%${key.clientId}`])).toEqual([]);
  await ingress.close();
});

test('many calls at once on two processes do not exceed the limit', async () => {
  const key = await one.client({ rateLimitPerMinute: 40 });
  const answers = await Promise.all(
    Array.from({ length: 120 }, (_, n) => (n % 2 ? one : other).call('GET', '/v1/recharges', { key })),
  );
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(40);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(80);
});
