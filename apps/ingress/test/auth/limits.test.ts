import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { createDatabase, type TestDatabase, until } from '@replenish/testing';
import { aRecharge, bearer, create, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';
import { callSigned } from '../support/signing.js';

let database: TestDatabase;
let ingress: Ingress;
let second: Ingress;
let production: Ingress;

beforeAll(async () => {
  database = await createDatabase();
  const databaseUrl = database.url;
  ingress = await openIngress({ databaseUrl });
  second = await openIngress({ databaseUrl, auth: { trustProxy: ['127.0.0.1'] } });
  production = await openIngress({ databaseUrl, auth: { isProduction: true } });
});
afterAll(async () => {
  await Promise.all([ingress.close(), second.close(), production.close()]);
  await database.release();
});

const LIST = '/v1/recharges';
const list = (by: NewKey, at = ingress, headers: Record<string, string> = {}) =>
  at.call('GET', LIST, { key: by, headers });

test('all processes refuse the calls that begin a second after a key is revoked, also under hundreds of calls', async () => {
  const key = await ingress.client();
  const answers: { status: number; begunAt: number }[] = [];
  let stop = false;
  const caller = async (n: number) => {
    while (!stop) {
      const at = n % 2 ? ingress : second;
      const begunAt = performance.now();
      const { status } = n % 3 ? await create(at, key) : await list(key, at);
      answers.push({ status, begunAt });
    }
  };
  const callers = Array.from({ length: 40 }, (_, n) => caller(n));
  await until(async () => answers.length >= 250, { limitMs: 30_000 }, 'calls run');
  await ingress.domain.clients.revoke(key.keyId);
  const revokedAt = performance.now();
  await until(
    async () => answers.filter(({ begunAt }) => begunAt > revokedAt + 1_000).length >= 50,
    { limitMs: 60_000 },
    'calls that begin later',
  );
  stop = true;
  await Promise.all(callers);
  const late = answers.filter(({ begunAt }) => begunAt > revokedAt + 1_000);
  expect(new Set(late.map(({ status }) => status))).toEqual(new Set([401]));
  expect(answers.filter(({ status }) => ![200, 202, 401].includes(status))).toEqual([]);
  const [row] = await ingress.sql(
    `select (select count(*) from recharge_request where client_id = $1)
      - (select count(*) from recharge_transaction where client_id = $1) as halves`,
    [key.clientId],
  );
  expect(Number(row!.halves)).toBe(0);
});

test('a locked key is refused soon and accepted after the lock', async () => {
  const key = await ingress.client();
  expect((await list(key)).status).toBe(200);
  const lock = (until: string) =>
    ingress.sql(`update api_key set locked_until = now() + $2::interval where id = $1`, [key.keyId, until]);
  await lock('1 hour');
  await until(async () => (await list(key)).status === 403, { limitMs: 30_000 }, 'the key is locked');
  expectProblem(await list(key), 403, 'UNAUTHORIZED');
  await lock('-1 second');
  await until(async () => (await list(key)).status === 200, { limitMs: 30_000 }, 'the key is free');
});

test('an expired key is refused', async () => {
  const expired = await ingress.client({ expiresAt: new Date(Date.now() - 1) });
  expectProblem(await list(expired), 401, 'UNAUTHENTICATED');
  expectProblem(await callSigned(ingress, expired, 'GET', LIST), 401, 'UNAUTHENTICATED');
  const young = await ingress.client({ expiresAt: new Date(Date.now() + 3_600_000) });
  expect((await list(young)).status).toBe(200);
});

test('a new secret works at once in a process that has cached the old one', async () => {
  const before = await ingress.client();
  expect((await list(before, second)).status).toBe(200);
  const after = (await ingress.domain.clients.rotate(before.keyId))!;
  expect((await list(after, second)).status).toBe(200);
});

type Form = 'bearer' | 'signed';

test.each([
  ['test', false, { production: [401, 401], elsewhere: [200, 200] }],
  ['live', false, { production: [401, 200], elsewhere: [401, 401] }],
  ['live', true, { production: [200, 200], elsewhere: [401, 401] }],
  ['prod', false, { production: [401, 200], elsewhere: [401, 401] }],
  ['staging', false, { production: [401, 200], elsewhere: [401, 401] }],
  ['testing', true, { production: [200, 200], elsewhere: [401, 401] }],
] as const)(
  'a key of %s, bearer allowed: %p, is taken as a bearer and signed',
  async (env, allowBearer, told) => {
    const key = await ingress.client({ allowBearer });
    // Earlier releases wrote these environments.
    await ingress.sql(`update client set env = $2 where id = $1`, [key.clientId, env]);
    const ask = async (at: Ingress, form: Form) =>
      (await (form === 'bearer' ? list(key, at) : callSigned(at, key, 'GET', LIST))).status;
    const both = async (at: Ingress) => [await ask(at, 'bearer'), await ask(at, 'signed')];
    expect({ production: await both(production), elsewhere: await both(ingress) }).toEqual(told);
  },
);

test('a live key may be sent as a bearer only when it allows that', async () => {
  const live = await ingress.client({ env: 'live' });
  expectProblem(await list(live, production), 401, 'UNAUTHENTICATED');
  expect((await callSigned(production, live, 'GET', LIST)).status).toBe(200);
});

test('a key works from its own addresses only, and X-Forwarded-For of a caller is ignored', async () => {
  const [here, elsewhere] = await Promise.all(
    [['127.0.0.0/8'], ['203.0.113.0/24', '2001:db8::/32']].map((ipAllow) => ingress.client({ ipAllow })),
  );
  expect((await list(here!)).status).toBe(200);
  expectProblem(await list(elsewhere!), 403, 'UNAUTHORIZED');
  const headers = [
    'x-forwarded-for',
    'forwarded',
    'x-real-ip',
    'client-ip',
    'true-client-ip',
    'cf-connecting-ip',
  ];
  for (const name of headers) {
    const value = name === 'forwarded' ? 'for=203.0.113.9' : '203.0.113.9';
    expectProblem(await list(elsewhere!, ingress, { [name]: value }), 403, 'UNAUTHORIZED');
  }
});

test("behind a trusted proxy the address from the proxy counts and the caller's own header does not", async () => {
  const key = await ingress.client({ ipAllow: ['203.0.113.0/24'] });
  const from = async (forwarded: string) =>
    (await list(key, second, { 'x-forwarded-for': forwarded })).status;
  expect(await from('203.0.113.9')).toBe(200);
  expect(await from('198.51.100.1')).toBe(403);
  expect(await from('203.0.113.9, 198.51.100.1')).toBe(403); // the caller wrote the first, the proxy the second
  expect(await from('not an address')).toBe(403);
  expect(await from('')).toBe(403);
  expect((await list(key, second)).status).toBe(403);
});

const ceilings = {
  USD: { requestMinor: 1_000n, dayMinor: 10_000n },
  EUR: { requestMinor: 1_000n, dayMinor: null },
};
const ask = (by: NewKey, amount: number, more: Record<string, unknown> = {}, at = ingress) =>
  create(at, by, aRecharge({ amount, ...more }));

test('a key is held to its ceiling per currency, and other currencies are refused', async () => {
  const key = await ingress.client({ ceilings });
  expect((await ask(key, 1_000)).status).toBe(202);
  expectProblem(await ask(key, 1_001), 403, 'UNAUTHORIZED');
  expect((await ask(key, 1_000, { currency: 'EUR' })).status).toBe(202);
  expectProblem(await ask(key, 1, { currency: 'JPY' }), 403, 'UNAUTHORIZED');
  expectProblem(
    await ingress.call('POST', '/api/charge', {
      key,
      body: { account_id: 'a', amount: 10.01, currency: 'USD', payment_method: 'sandbox' },
    }),
    403,
    'UNAUTHORIZED',
  );
});

test('fifty requests at once reach the daily ceiling and do not exceed it', async () => {
  const key = await ingress.client({ ceilings });
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(key, 900)));
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(11);
  for (const refused of answers.filter(({ status }) => status !== 202))
    expectProblem(refused, 403, 'UNAUTHORIZED');
  expect((await ask(key, 100)).status).toBe(202);
  expectProblem(await ask(key, 1), 403, 'UNAUTHORIZED');
});

test('several processes together reach the daily ceiling and do not exceed it', async () => {
  const key = await ingress.client({ ceilings });
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, n) => ask(key, 900, {}, n % 2 ? ingress : second)),
  );
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(11);
});

test('a replay is answered above the ceiling, and failed or old recharges do not count', async () => {
  const key = await ingress.client({ ceilings: { USD: { requestMinor: null, dayMinor: 1_000n } } });
  const headers = { 'idempotency-key': 'first' };
  const first = await create(ingress, key, aRecharge({ amount: 900 }), headers);
  expect(first.status).toBe(202);
  expectProblem(await ask(key, 900), 403, 'UNAUTHORIZED');
  expect((await create(ingress, key, aRecharge({ amount: 900 }), headers)).status).toBe(200);
  await ingress.call('POST', `/v1/recharges/${first.body.transactionId}/cancel`, { key });
  const next = await ask(key, 800);
  expect(next.status).toBe(202);
  // The counter has one step per quarter of an hour. A step counts until 24 hours after its end.
  const goBack = (steps: number) =>
    ingress.sql(
      `update day_counter set amounts = (select jsonb_object_agg((key::int - $2::int)::text, value)
        from jsonb_each(amounts)) where client_id = $1`,
      [key.clientId, steps],
    );
  await goBack(95);
  expectProblem(await ask(key, 1_000), 403, 'UNAUTHORIZED');
  await goBack(2);
  expect((await ask(key, 1_000)).status).toBe(202);
});

test('a refused request does not use up its idempotency key', async () => {
  const key = await ingress.client({ ceilings });
  const headers = { 'idempotency-key': 'again' };
  expectProblem(await create(ingress, key, aRecharge({ amount: 1_001 }), headers), 403, 'UNAUTHORIZED');
  expect((await create(ingress, key, aRecharge({ amount: 999 }), headers)).status).toBe(202);
});

test('no refusal writes a secret into the log', () => {
  const text = JSON.stringify([ingress, second, production].flatMap(({ logged }) => logged));
  expect(text.length).toBeGreaterThan(10_000);
  expect(text).not.toMatch(/rs_[\w-]{8}|Bearer/);
  expect(bearer({ clientId: '', keyId: 'rk_test_1', secret: 'rs_canary-1234' })).toMatch(/rs_[\w-]{8}/);
});
