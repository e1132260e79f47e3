import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type NewKey, type SecurityRule, securityRules } from '@replenish/domain';
import { until } from '@replenish/testing';
import { openWatch, type Watch } from '../src/anomaly.js';
import { aRecharge, create, created, type Ingress, openIngress } from './ingress.js';
import { callSigned, type Wish } from './signing.js';

const watches: Watch[] = [];
const open = (databaseUrl?: string): Promise<Ingress> =>
  openIngress({
    ...(databaseUrl && { databaseUrl }),
    guards: ({ domain, log, registry }) => {
      const watch = openWatch({ security: domain.security, log, registry });
      watches.push(watch);
      return { onlookers: [watch.see] };
    },
  });

let one: Ingress;
let other: Ingress;
beforeAll(async () => {
  one = await open();
  other = await open(one.databaseUrl);
});
afterAll(async () => {
  await Promise.all(watches.map((watch) => watch.close()));
  await other.close();
  await one.close();
});

const ask = async (ingress: Ingress, key: NewKey): Promise<number> =>
  (await ingress.call('GET', '/v1/recharges', { key })).status;

const wrong = (key: NewKey): NewKey => ({ ...key, secret: 'rs_wrong' });

/** How often a rule has been seen of a key, by all processes. */
async function seen(key: NewKey, rule: SecurityRule): Promise<number> {
  const [row] = await one.sql(
    `select coalesce(sum(count), 0)::int as sum from security_event where key_id = $1 and rule = $2`,
    [key.keyId, rule],
  );
  return Number(row!.sum);
}

const isLocked = (key: NewKey) => (ingress: Ingress) =>
  until(async () => (await ask(ingress, key)) === 403, { limitMs: 5_000 }, 'a locked key');

test('wrong secrets on two processes lock the key on both, and an operator frees it', async () => {
  const key = await one.client();
  const bystander = await one.client();
  const { max } = securityRules.bad_signature;
  for (let n = 0; n < max - 1; n++) expect(await ask(n % 2 ? one : other, wrong(key))).toBe(401);
  await until(async () => (await seen(key, 'bad_signature')) === max - 1, { limitMs: 5_000 }, 'reports');
  expect(await ask(one, key)).toBe(200);

  await ask(other, wrong(key));
  await isLocked(key)(one);
  await isLocked(key)(other);
  expect(await ask(one, bystander)).toBe(200);
  const logged = [...one.logged, ...other.logged].filter((record) => record.security === true);
  expect(logged.filter(({ message }) => message === 'security event')).toHaveLength(max);
  expect(logged).toContainEqual(
    expect.objectContaining({ level: 'error', rule: 'bad_signature', keyId: key.keyId }),
  );
  expect(
    (await one.metric('replenish_security_events_total')) +
      (await other.metric('replenish_security_events_total')),
  ).toBe(max);

  expect(await one.domain.security.unlock(key.keyId)).toBe(true);
  await until(async () => (await ask(one, key)) === 200, { limitMs: 5_000 }, 'a freed key');
  await ask(one, wrong(key));
  await until(async () => (await seen(key, 'bad_signature')) > max, { limitMs: 5_000 }, 'a report');
  expect(await ask(one, key)).toBe(200);
});

test("accounts beyond the key's own are counted, whatever form the call has", async () => {
  const key = await one.client({ accounts: ['acct-10*'] });
  const foreign = aRecharge({ accountId: 'acct-2' });
  await create(one, key, foreign);
  await one.call('GET', '/v1/account/balance?accountId=acct-2', { key });
  await one.call('GET', '/v1/accounts/acct-2/ledger', { key });
  await one.call('GET', '/v1/recharges?accountId=acct-2', { key });
  await create(one, key);
  await until(async () => (await seen(key, 'foreign_account')) >= 4, { limitMs: 5_000 }, 'four reports');
  expect(await seen(key, 'foreign_account')).toBe(4);
});

test("guessed ids, another client's among them, and calls without a scope are counted", async () => {
  const [key, theirs] = [await one.client({ scopes: ['recharges:read'] }), await one.client()];
  const { id } = await created(one, theirs);
  for (const path of [id, `${id}/timeline`, 'nonsense'])
    expect((await one.call('GET', `/v1/recharges/${path}`, { key })).status).toBe(404);
  expect((await create(one, key)).status).toBe(403);
  await until(async () => (await seen(key, 'missing_scope')) === 1, { limitMs: 5_000 }, 'a report');
  await until(async () => (await seen(key, 'unknown_recharge')) === 3, { limitMs: 5_000 }, 'three reports');
});

test('a signed request that is sent again is told apart from one whose signature is wrong', async () => {
  const key = await one.client();
  const send = async (wish: Wish) => (await callSigned(one, key, 'GET', '/v1/recharges', wish)).status;
  const once = { nonce: randomUUID() };
  expect([await send(once), await send(once), await send({ timestamp: 1 })]).toEqual([200, 401, 401]);
  await until(async () => (await seen(key, 'replayed_nonce')) === 1, { limitMs: 5_000 }, 'a replay');
  await until(async () => (await seen(key, 'bad_signature')) === 1, { limitMs: 5_000 }, 'a wrong one');
});

test('what honest callers do wrong is no security event', async () => {
  const key = await one.client();
  const before = await one.metric('replenish_security_events_total');
  await create(one, key, aRecharge({ amount: -1 }));
  await one.call('GET', '/v1/nothing', { key });
  await one.call('GET', '/v1/recharges');
  await one.call('POST', '/webhooks/sandbox', { body: '{}' });
  await ask(one, key);
  expect(await one.metric('replenish_security_events_total')).toBe(before);
});

test('a flood of made-up keys leaves no row behind', async () => {
  const before = await one.metric('replenish_security_events_total');
  const nobodies = Array.from({ length: 50 }, (_, n) => ({
    keyId: `rk_test_nobody${n}`,
    secret: 'rs_x',
    clientId: '',
  }));
  expect(new Set(await Promise.all(nobodies.map((key) => ask(one, key))))).toEqual(new Set([401]));
  expect(await one.metric('replenish_security_events_total')).toBe(before + 50);
  await Promise.all(watches.map((watch) => watch.close()));
  expect(await one.sql(`select 1 from security_event where key_id like 'rk_test_nobody%'`)).toEqual([]);
});
