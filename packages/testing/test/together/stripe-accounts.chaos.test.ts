import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { bearer, client, withBooks } from '../../src/fleet/producer.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const names = ['eu', 'us'] as const;
type Name = (typeof names)[number];

const AMOUNT = 4_321;
const HOUR_MS = 3_600_000;
// The guard's breaker opens after ten calls at least.
const DOWN_CALLS = 16;

const dir = mkdtempSync(join(tmpdir(), 'stripe-accounts-'));
const linesOf = (name: Name): string => `
  ${name}:
    secret_key: sk_test_simulator_${name}
    webhook_secret: \${SANDBOX_WEBHOOK_SECRET}_${name}
    api_base: http://127.0.0.1:\${SANDBOX_STRIPE_PORT}`;

let stage: WholeStage;
let key: NewKey;
const made: Record<Name, string[]> = { eu: [], us: [] };

beforeAll(async () => {
  const PROVIDERS_FILE = join(dir, 'providers.yaml');
  writeFileSync(PROVIDERS_FILE, `stripe:${names.map(linesOf).join('')}\n`);
  stage = await WholeStage.open({ env: { PROVIDERS_FILE, SANDBOX_STRIPE_ACCOUNTS: names.join(',') } });
  key = await client(stage.fleet, { scopes: ['reconciliation:read', 'reconciliation:write'] });
});
afterAll(async () => {
  await stage?.close();
  rmSync(dir, { recursive: true, force: true });
});

async function recharge(name: Name): Promise<string> {
  const more = { currency: 'USD', providerAccount: name };
  const id = await stage.recharge(`acct-${randomUUID()}`, 'credit_card', AMOUNT, more);
  made[name].push(id);
  return id;
}

type Intents = Readonly<{ payment_intents: { amount: number; charges: object[] }[] }>;
const intentsOf = async (face: string, id: string) =>
  (await stage.shown<Intents>(`stripe${face}/payment_intents?reference=${id}`)).payment_intents;

/** Expects one charge, at the account and at no other. */
async function expectChargedAt(name: Name, id: string): Promise<void> {
  for (const face of ['', ...names.map((one) => `/accounts/${one}`)]) {
    const charged = face === `/accounts/${name}` ? [{ amount: AMOUNT, charges: [{ amount: AMOUNT }] }] : [];
    expect(await intentsOf(face, id)).toMatchObject(charged);
    expect(await intentsOf(face, id)).toHaveLength(charged.length);
  }
}

test.each(names)('a recharge of %s is charged there, and its events have its secret', async (name) => {
  const id = await recharge(name);
  await stage.succeeds(id, 1);
  await expectChargedAt(name, id);
  const accounts = () =>
    stage.rows<{ account: string }>(
      `select distinct provider_account as account from webhook_event where transaction_id = '${id}'`,
    );
  await stage.until(async () => (await accounts()).length > 0, `an event of ${id}`);
  expect(await accounts()).toEqual([{ account: name }]);
});

test('an account that is down opens its own breaker, and the other one goes on', async () => {
  await stage.control('stripe/accounts/eu/behave', { scenario: 'timeout_before_create', times: DOWN_CALLS });
  const down = await Promise.all(Array.from({ length: DOWN_CALLS }, () => recharge('eu')));
  const breakers = () =>
    stage.rows<{ account: string }>(
      `select distinct provider_account as account from provider_breaker where provider = 'stripe'`,
    );
  await stage.until(async () => (await breakers()).length > 0, 'an open breaker');
  const other = await recharge('us');
  await stage.succeeds(other, 1);
  expect(await breakers()).toEqual([{ account: 'eu' }]);
  for (const id of down) await stage.succeeds(id, 1);
  await expectChargedAt('us', other);
  for (const id of down) await expectChargedAt('eu', id);
});

test.each(names)('the statement of %s has its own charges only', async (name) => {
  const [from, to] = [-HOUR_MS, HOUR_MS].map((ms) => new Date(Date.now() + ms).toISOString());
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = { authorization: bearer(key), 'content-type': 'application/json' };
    const answer = await fetch(`${stage.fleet.ingressUrl}/v1/reconciliations${path}`, { ...init, headers });
    return (await answer.json()) as Record<string, unknown>;
  };
  const body = JSON.stringify({ provider: 'stripe', providerAccount: name, from, to });
  const { runId } = await call('', { method: 'POST', body });
  await stage.until(async () => (await call(`/${runId}`)).status !== 'running', `the end of run ${runId}`);
  expect(await call(`/${runId}`)).toMatchObject({
    ...{ status: 'finished', matched: made[name].length, oursOnly: [], theirsOnly: [], different: [] },
  });
});

test('the invariants hold', async () => {
  expect(await withBooks(stage.fleet, (domain) => domain.verify())).toEqual([]);
});
