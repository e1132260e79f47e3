import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type NewClient, type NewKey, type SecurityRule, securityRules } from '@replenish/domain';
import { until } from '@replenish/testing';
import { openWatch, type Watch } from '../../src/protection/anomaly.js';
import { aRecharge, create, created, type Ingress, openIngress } from '../support/ingress.js';
import { callSigned, type Wish } from '../support/signing.js';

const watches: Watch[] = [];
const open = (databaseUrl?: string): Promise<Ingress> =>
  openIngress({
    ...(databaseUrl && { databaseUrl }),
    // The tests send requests from several addresses.
    auth: { trustProxy: ['127.0.0.1'] },
    protection: ({ domain, log, registry }) => {
      const watch = openWatch({ security: domain.security, log, registry });
      watches.push(watch);
      return { observers: [watch.see] };
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

const OWNER = '192.0.2.1';
const STRANGER = '192.0.2.66';

const ask = async (ingress: Ingress, key: NewKey, address = OWNER): Promise<number> =>
  (await ingress.call('GET', '/v1/recharges', { key, headers: { 'x-forwarded-for': address } })).status;

const wrong = (key: NewKey): NewKey => ({ ...key, secret: 'rs_wrong' });

/** The number of events of the rule that the database has counted for the key. */
async function seen(key: NewKey, rule: SecurityRule): Promise<number> {
  const [row] = await one.sql(
    `select coalesce(sum(count), 0)::int as sum from security_event where key_id = $1 and rule = $2`,
    [key.keyId, rule],
  );
  return Number(row!.sum);
}

test('wrong secrets on two processes lock the key for their address on both, until an operator unlocks it', async () => {
  const key = await one.client();
  const bystander = await one.client();
  const { max } = securityRules.bad_signature;
  for (let n = 0; n < max - 1; n++) expect(await ask(n % 2 ? one : other, wrong(key), STRANGER)).toBe(401);
  await until(async () => (await seen(key, 'bad_signature')) === max - 1, { limitMs: 30_000 }, 'reports');
  expect(await ask(one, key, STRANGER)).toBe(200);

  await ask(other, wrong(key), STRANGER);
  for (const ingress of [one, other]) {
    const isLocked = async () => (await ask(ingress, key, STRANGER)) === 403;
    await until(isLocked, { limitMs: 30_000 }, 'a locked key');
    expect([await ask(ingress, key), await ask(ingress, bystander, STRANGER)]).toEqual([200, 200]);
    expect((await create(ingress, key, aRecharge(), { 'x-forwarded-for': OWNER })).status).toBe(202);
  }
  const logged = [...one.logged, ...other.logged].filter((record) => record.security === true);
  expect(logged.filter(({ message }) => message === 'security event')).toHaveLength(max);
  expect(logged).toContainEqual(
    expect.objectContaining({ level: 'error', rule: 'bad_signature', keyId: key.keyId, origin: STRANGER }),
  );
  expect(
    (await one.metric('replenish_security_events_total')) +
      (await other.metric('replenish_security_events_total')),
  ).toBe(max);

  expect(await one.domain.security.unlock(key.keyId)).toBe(true);
  const isFree = async () => (await ask(one, key, STRANGER)) === 200;
  await until(isFree, { limitMs: 30_000 }, 'a freed key');
  await ask(one, wrong(key), STRANGER);
  await until(async () => (await seen(key, 'bad_signature')) > max, { limitMs: 30_000 }, 'a report');
  expect(await ask(one, key, STRANGER)).toBe(200);
});

/** Harmless behaviour, with the rule that counts it, if any. */
const harmless: [string, Partial<NewClient>, (key: NewKey) => Promise<number>, SecurityRule | null][] = [
  [
    'balance polls without the scope',
    { scopes: ['recharges:write', 'recharges:read'] },
    async (key) => (await one.call('GET', '/v1/account/balance?accountId=acct-1', { key })).status,
    'missing_scope',
  ],
  [
    'polls of an id that is not there',
    {},
    async (key) => (await one.call('GET', `/v1/recharges/${randomUUID()}`, { key })).status,
    'unknown_recharge',
  ],
  [
    'calls for a foreign account',
    { accounts: ['acct-10*'] },
    async (key) => (await one.call('GET', '/v1/accounts/acct-2/ledger', { key })).status,
    'foreign_account',
  ],
  [
    'wrong secrets from an address that the key is not used from',
    { ipAllow: [OWNER] },
    (key) => ask(one, wrong(key), STRANGER),
    null,
  ],
  ['bare secrets for a key that only signs', { requireSignature: true }, (key) => ask(one, wrong(key)), null],
  ['bare secrets for a live key', { env: 'live' }, (key) => ask(one, wrong(key)), null],
  [
    'signatures by a clock that is wrong',
    {},
    async (key) => (await callSigned(one, key, 'GET', '/v1/recharges', { timestamp: 1 })).status,
    null,
  ],
  [
    'balance signatures for a key that takes none',
    {},
    async (key) => {
      const headers = { authorization: `Bearer ${key.keyId}`, 'x-signature': 'a'.repeat(64) };
      return (await one.call('GET', '/v1/account/balance?accountId=acct-1', { headers })).status;
    },
    null,
  ],
];

test.each(harmless)(
  '%s do not keep anybody from a recharge',
  async (_, wishes, call, rule) => {
    const key = await one.client(wishes);
    const times = Math.max(rule ? securityRules[rule].max : 0, securityRules.bad_signature.max) + 5;
    const before = await one.metric('replenish_security_events_total');
    let left = times;
    const some = Array.from({ length: 10 }, async () => {
      while (left-- > 0) expect([401, 403, 404]).toContain(await call(key));
    });
    await Promise.all(some);
    if (rule) {
      await until(async () => (await seen(key, rule)) === times, { limitMs: 30_000 }, 'reports');
      const alarm = { level: 'error', message: 'security alarm', rule, keyId: key.keyId };
      await until(
        () => one.logged.some((line) => line.message === alarm.message && line.keyId === alarm.keyId),
        { limitMs: 30_000 },
        'an alarm',
      );
    }
    expect((await one.metric('replenish_security_events_total')) - before).toBe(rule ? times : 0);
    expect(await one.sql(`select 1 from key_lock where key_id = $1`, [key.keyId])).toEqual([]);
    if (key.keyId.startsWith('rk_live')) return;
    const body = JSON.stringify(aRecharge({ idempotencyKey: randomUUID() }));
    const headers = { 'x-forwarded-for': OWNER, 'content-type': 'application/json' };
    expect((await callSigned(one, key, 'POST', '/v1/recharges', { body }, headers)).status).toBe(202);
  },
  30_000,
);

test('guesses from many addresses raise an alarm and do not lock out the owner', async () => {
  const key = await one.client();
  const { max } = securityRules.guessing;
  const each = securityRules.bad_signature.max - 1;
  const addresses = Array.from({ length: Math.ceil(max / each) }, (_, n) => `2001:db8:0:${n}::1`);
  for (const address of addresses)
    await Promise.all(Array.from({ length: each }, () => ask(one, wrong(key), address)));
  const isAlarm = () =>
    one.logged.some(
      (line) => line.message === 'security alarm' && line.keyId === key.keyId && line.rule === 'guessing',
    );
  await until(isAlarm, { limitMs: 30_000 }, 'an alarm');
  expect(await ask(one, key)).toBe(200);
}, 60_000);

test('addresses of one IPv6 network are one address', async () => {
  const key = await one.client();
  const { max } = securityRules.bad_signature;
  for (let n = 0; n < max; n++) await ask(one, wrong(key), `2001:db8::${n.toString(16)}`);
  const isLocked = async () => (await ask(one, key, '2001:db8::ffff')) === 403;
  await until(isLocked, { limitMs: 30_000 }, 'a locked network');
  expect(await ask(one, key, '2001:db8:0:1::1')).toBe(200);
}, 30_000);

test('calls for foreign accounts are counted in every form', async () => {
  const key = await one.client({ accounts: ['acct-10*'] });
  const foreign = aRecharge({ accountId: 'acct-2' });
  await create(one, key, foreign);
  await one.call('GET', '/v1/account/balance?accountId=acct-2', { key });
  await one.call('GET', '/v1/accounts/acct-2/ledger', { key });
  await one.call('GET', '/v1/recharges?accountId=acct-2', { key });
  await create(one, key);
  await until(async () => (await seen(key, 'foreign_account')) >= 4, { limitMs: 30_000 }, 'four reports');
  expect(await seen(key, 'foreign_account')).toBe(4);
});

test('guessed recharge ids and calls without the scope are counted', async () => {
  const [key, theirs] = [await one.client({ scopes: ['recharges:read'] }), await one.client()];
  const { id } = await created(one, theirs);
  for (const path of [id, `${id}/timeline`, 'nonsense'])
    expect((await one.call('GET', `/v1/recharges/${path}`, { key })).status).toBe(404);
  expect((await create(one, key)).status).toBe(403);
  await until(async () => (await seen(key, 'missing_scope')) === 1, { limitMs: 30_000 }, 'a report');
  await until(async () => (await seen(key, 'unknown_recharge')) === 3, { limitMs: 30_000 }, 'three reports');
});

test('a replayed signed request and a wrong signature are counted by different rules', async () => {
  const key = await one.client();
  const send = async (wish: Wish) => (await callSigned(one, key, 'GET', '/v1/recharges', wish)).status;
  const once = { nonce: randomUUID() };
  expect([await send(once), await send(once), await await ask(one, wrong(key))]).toEqual([200, 401, 401]);
  await until(async () => (await seen(key, 'replayed_nonce')) === 1, { limitMs: 30_000 }, 'a replay');
  await until(async () => (await seen(key, 'bad_signature')) === 1, { limitMs: 30_000 }, 'a wrong one');
});

test('common mistakes of honest callers are not security events', async () => {
  const key = await one.client();
  const before = await one.metric('replenish_security_events_total');
  await create(one, key, aRecharge({ amount: -1 }));
  await one.call('GET', '/v1/nothing', { key });
  await one.call('GET', '/v1/recharges');
  await one.call('POST', '/webhooks/sandbox', { body: '{}' });
  await ask(one, key);
  expect(await one.metric('replenish_security_events_total')).toBe(before);
});

test('a flood of invented keys stores no row', async () => {
  const before = await one.metric('replenish_security_events_total');
  const nobodies = Array.from({ length: 50 }, (_, n) => ({
    keyId: `rk_test_nobody${n}`,
    secret: 'rs_x',
    clientId: '',
  }));
  expect(new Set(await Promise.all(nobodies.map((key) => ask(one, key))))).toEqual(new Set([401]));
  expect(await one.metric('replenish_security_events_total')).toBe(before);
  await Promise.all(watches.map((watch) => watch.close()));
  expect(await one.sql(`select 1 from security_event where key_id like 'rk_test_nobody%'`)).toEqual([]);
});
