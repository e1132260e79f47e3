import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { checkBooks } from '../../src/books/books.js';
import { bearer, client } from '../../src/fleet/producer.js';
import { until } from '../../src/until.js';
import { killAndRevive, TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 4_321;
const HOUR_MS = 3_600_000;

let stage: WholeStage;
let key: NewKey;
beforeAll(async () => {
  stage = await WholeStage.open({ redisUrl: null });
  key = await client(stage.fleet, { scopes: ['reconciliation:read', 'reconciliation:write'] });
});
afterAll(() => stage?.close());

type Row = Readonly<Record<string, unknown>>;
type Run = Readonly<{ runId: string; status: string; matched: number }> &
  Record<'oursOnly' | 'theirsOnly' | 'different' | 'gaps', Row[]>;

const around = () => ({
  from: new Date(Date.now() - HOUR_MS).toISOString(),
  to: new Date(Date.now() + HOUR_MS).toISOString(),
});

async function call(path: string, init: RequestInit = {}): Promise<Run> {
  const headers = { authorization: bearer(key), ...init.headers };
  const response = await fetch(`${stage.fleet.ingressUrl}/v1/reconciliations${path}`, { ...init, headers });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} was answered ${response.status} ${text}`);
  return JSON.parse(text) as Run;
}

/** Asks for the provider's own statement, and waits for the outcome. */
async function compared(provider: string, period = around()): Promise<Run> {
  const body = JSON.stringify({ provider, ...period });
  const { runId } = await call('', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return finished(runId);
}

async function finished(runId: string): Promise<Run> {
  let run = await call(`/${runId}`);
  const isOver = async () => {
    run = await call(`/${runId}`);
    return run.status !== 'running';
  };
  await until(isOver, { limitMs: TEST_LIMIT_MS / 2, everyMs: 250 }, `the end of run ${runId}`);
  expect(run).toMatchObject({ status: 'finished', failure: null });
  return run;
}

const AGREES = { oursOnly: [], theirsOnly: [], different: [], gaps: [] };

test("the simulator's statement agrees with recharges and refunds, line by line", async () => {
  const ids = await Promise.all([1, 2].map(() => stage.recharge(`acct-${randomUUID()}`, 'sandbox', AMOUNT)));
  for (const id of ids) await stage.succeeds(id, 1);
  await stage.succeeds(await stage.refund(ids[0]!), 1);
  expect(await compared('sandbox')).toMatchObject({ matched: 3, ...AGREES });
});

test('a card payment and a transfer have their lines, and a payment past us is found', async () => {
  const { accountId } = await stage.newPayee();
  await stage.succeeds(await stage.recharge(accountId, 'credit_card', AMOUNT), 2);
  expect(await compared('stripe')).toMatchObject({ matched: 1, ...AGREES });
  expect(await compared('alibaba_cloud')).toMatchObject({ matched: 1, ...AGREES });
  const endpoints = await (await fetch(`${stage.fleet.sandboxUrl}/_control/endpoints`)).json();
  const { url, secretKey } = (endpoints as { stripe: { url: string; secretKey: string } }).stripe;
  const form = new URLSearchParams({
    amount: '777',
    currency: 'usd',
    confirm: 'true',
    payment_method: 'pm_card_visa',
  });
  const paid = await fetch(`${url}/v1/payment_intents`, {
    method: 'POST',
    body: form,
    headers: { authorization: `Bearer ${secretKey}` },
  });
  const { id } = (await paid.json()) as { id: string };
  const { theirsOnly, matched } = await compared('stripe');
  expect(matched).toBe(1);
  expect(theirsOnly).toMatchObject([{ orderId: id, direction: 'in', amount: 777, currency: 'USD' }]);
});

test("Alipay's bill of a day in China has the payment and its refund", async () => {
  const id = await stage.recharge(`acct-${randomUUID()}`, 'alipay', AMOUNT);
  await stage.payByAlipay(id);
  await stage.succeeds(id, 1);
  await stage.succeeds(await stage.refund(id, 321), 1);
  // The day is over in the simulator only.
  await stage.control('alipay/clock', { aheadMs: 24 * HOUR_MS });
  const [today] = new Date(Date.now() + 8 * HOUR_MS).toISOString().split('T');
  const from = new Date(`${today}T00:00:00+08:00`);
  const period = { from: from.toISOString(), to: new Date(from.getTime() + 24 * HOUR_MS).toISOString() };
  expect(await compared('alipay', period)).toMatchObject({ matched: 2, ...AGREES });
});

test('a provider that is down is asked again, and its statement is then compared', async () => {
  await stage.control('outage', { mode: 'errors' });
  const body = JSON.stringify({ provider: 'sandbox', ...around() });
  const { runId } = await call('', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const hasFailed = async () => (await call(`/${runId}`)) as unknown as { failure: string | null };
  await until(
    async () => (await hasFailed()).failure !== null,
    { limitMs: 60_000, everyMs: 250 },
    'a vain try',
  );
  expect(await call(`/${runId}`)).toMatchObject({ status: 'running' });
  await stage.control('outage', { mode: 'none' });
  expect(await finished(runId)).toMatchObject(AGREES);
});

test('a worker that is killed in the middle of ten thousand lines: another start goes on, and one gap is named', async () => {
  const at = new Date().toISOString();
  const whole = Array.from({ length: 10_000 }, (_, n) => `${n + 1},${at},o-${n},,in,5,EUR,${5 * (n + 1)}`);
  const lines = whole.toSpliced(7_000, 1);
  const send = (some: readonly string[]) => {
    const body = ['line,at,orderId,reference,direction,amount,currency,balance', ...some].join('\n');
    const query = new URLSearchParams({ provider: 'alipay', ...around() });
    return call(`?${query}`, { method: 'POST', body, headers: { 'content-type': 'text/csv' } });
  };
  const sent = send(lines);
  const stored = async () => {
    const [row] = await stage.rows<{ count: number }>(
      `select count(*)::int as count from report.statement_lines where provider = 'alipay'`,
    );
    return row!.count;
  };
  await until(
    async () => (await stored()) > 500,
    { limitMs: TEST_LIMIT_MS / 4, everyMs: 20 },
    'stored lines',
  );
  await killAndRevive(stage.fleet, 'reconciliation-worker');
  expect(await stored()).toBeLessThan(9_999);
  const { gaps, matched } = await finished((await sent).runId);
  // The bill of the test above has the two lines that match.
  expect([matched, await stored()]).toEqual([2, 9_999 + 2]);
  expect(gaps).toEqual([{ afterLine: '7000', beforeLine: '7002', missing: 5, currency: 'EUR' }]);
  const casesOf = (which: string) =>
    stage.rows(`select from report.cases where kind like 'statement_%' and ${which}`);
  expect(await casesOf(`kind = 'statement_gap'`)).toHaveLength(1);
  const opened = (await casesOf('true')).length;
  expect((await finished((await send(lines)).runId)).gaps).toHaveLength(1);
  expect(await casesOf('true')).toHaveLength(opened);
  expect((await finished((await send(whole.slice(6_999, 7_002))).runId)).gaps).toEqual([]);
  expect(await casesOf(`kind = 'statement_gap' and closed_at is null`)).toHaveLength(0);
});

test('the invariants hold', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
