import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRunner, type RunnerDeps } from '@replenish/assembly';
import type { NewKey } from '@replenish/domain';
import { until } from '@replenish/testing';
import { created, end, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
const working = new AbortController();
let worker: Promise<void>;
const accounts: RunnerDeps['accounts'] = [];

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ name: 'finance' });
  const { reconciliations } = ingress.domain;
  const log = { info() {}, warn() {}, error() {} } as unknown as RunnerDeps['log'];
  const run = openRunner({ reconciliations, accounts, log });
  worker = (async () => {
    while (!working.signal.aborted) {
      await run();
      await delay(20);
    }
  })();
});
afterAll(async () => {
  working.abort();
  await worker;
  expect(await ingress.domain.verify()).toEqual([]);
  await ingress.close();
});

const PATH = '/v1/reconciliations';
const HEADER = 'line,at,orderId,reference,direction,amount,currency,balance';
const around = () => {
  const hourMs = 3_600_000;
  return {
    from: new Date(Date.now() - hourMs).toISOString(),
    to: new Date(Date.now() + hourMs).toISOString(),
  };
};
const query = (over: Record<string, string> = {}) =>
  new URLSearchParams({ provider: 'sandbox', ...around(), ...over }).toString();
const sendCsv = (csv: string, headers: Record<string, string> = {}, asked = query()) =>
  ingress.call('POST', `${PATH}?${asked}`, {
    key,
    body: csv,
    headers: { 'content-type': 'text/csv', ...headers },
  });
const row = (line: number | string, over: Record<string, unknown> = {}): string => {
  const cells = { line, at: new Date().toISOString(), orderId: '', reference: '', direction: 'in' };
  return Object.values({ ...cells, amount: 4999, currency: 'USD', balance: '', ...over }).join(',');
};

test('a statement in CSV is compared with the books, and can be read again', async () => {
  const recharge = await created(ingress, key);
  await end(ingress, recharge, 'settled');
  const lines = [row(1, { reference: recharge.id }), row(2, { orderId: 'by-console', amount: 77 })];
  const { status, headers, body } = await sendCsv([HEADER, ...lines].join('\n'));
  expect(status).toBe(201);
  expect(body).toMatchObject({
    ...{ provider: 'sandbox', providerAccount: 'main', status: 'finished', failure: null },
    ...{ lines: 2, matched: 1, outside: 0, oursOnly: [], different: [], gaps: [] },
    theirsOnly: [
      { transactionId: null, line: '2', orderId: 'by-console', direction: 'in', amount: 77, currency: 'USD' },
    ],
  });
  expect(headers.get('location')).toBe(`${PATH}/${body.runId}`);
  const read = await ingress.call('GET', `${PATH}/${body.runId}`, { key });
  expect([read.status, read.body]).toEqual([200, body]);
  const { body: page } = await ingress.call('GET', `${PATH}?status=finished&limit=1`, { key });
  expect(page.data).toEqual([expect.objectContaining({ runId: body.runId, lines: 2, status: 'finished' })]);
});

test('of four thousand lines one is deleted: its gap is named and only it, and the same file opens nothing new', async () => {
  const lines = Array.from({ length: 4_000 }, (_, n) =>
    row(n + 1, { orderId: `o-${n}`, balance: (n + 1) * 4999 }),
  );
  lines.splice(1_500, 1);
  const csv = [HEADER, ...lines].join('\n');
  expect(Buffer.byteLength(csv)).toBeGreaterThan(192 * 1_024);
  const first = await finished((await sendCsv(csv)).body.runId);
  expect(first.gaps).toEqual([{ afterLine: '1500', beforeLine: '1502', missing: 4999, currency: 'USD' }]);
  const cases = async () => Number((await ingress.sql('select count(*) from reconciliation_case'))[0]!.count);
  const opened = await cases();
  const again = await finished((await sendCsv(csv)).body.runId);
  expect([again.gaps, await cases()]).toEqual([first.gaps, opened]);
}, 240_000);

async function finished(runId: unknown) {
  let body: Record<string, unknown> = {};
  const isOver = async () => {
    ({ body } = await ingress.call('GET', `${PATH}/${runId}`, { key }));
    return body.status !== 'running';
  };
  await until(isOver, { limitMs: 120_000 }, 'the end of the run');
  expect(body).toMatchObject({ status: 'finished', failure: null });
  return body;
}

test('a repeated key answers with the first run, and refuses another statement', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const asked = query();
  const first = await sendCsv(`${HEADER}\n${row('a')}`, headers, asked);
  const csv = `${HEADER}\n${row('b')}`;
  const [mine, other] = [
    await sendCsv(csv, { 'idempotency-key': 'k-2' }, asked),
    await sendCsv(csv, headers, asked),
  ];
  expect([first.status, mine.status]).toEqual([201, 201]);
  expectProblem(other, 422, 'DUPLICATE_REQUEST');
  const repeated = await sendCsv(csv, { 'idempotency-key': 'k-2' }, asked);
  expect([repeated.status, repeated.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  expect(repeated.body.runId).toBe(mine.body.runId);
});

test('a statement that cannot be read is refused with its line, and nothing is stored', async () => {
  const runs = async () => (await ingress.sql('select id from reconciliation_run')).length;
  const before = await runs();
  const bad = await sendCsv(`${HEADER}\n${row(1)}\n${row(2, { amount: '1.5' })}`);
  expectProblem(bad, 400, 'INVALID_ARGUMENT');
  expect(bad.body.errors[0]!.message).toMatch(/^line 3, column amount/);
  expectProblem(await sendCsv(''), 400, 'INVALID_ARGUMENT');
  expectProblem(
    await sendCsv(HEADER, { 'content-type': 'text/csv; charset=utf-16' }),
    415,
    'INVALID_ARGUMENT',
  );
  expect(await runs()).toBe(before);
});

test.each([
  ['an unknown provider', { provider: 'nobody' }, 'provider'],
  ['an unknown account', { providerAccount: 'other' }, 'providerAccount'],
  ['a period that ends before it begins', { to: '2020-01-01T00:00:00Z' }, 'to'],
  ['a time without an offset', { from: '2026-11-01 00:00' }, 'from'],
  ['an unknown parameter', { dryRun: 'true' }, 'dryRun'],
])('%s is refused', async (_, over, path) => {
  const answer = await sendCsv(`${HEADER}\n${row(1)}`, {}, query(over as Record<string, string>));
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors.map((one) => one.path)).toContain(path);
});

test('a body in JSON makes a run that waits for a worker with the provider, and takes no query', async () => {
  const body = { provider: 'sandbox', ...around() };
  const asked = await ingress.call('POST', PATH, { key, body });
  expect(asked.status).toBe(202);
  expect(asked.body).toMatchObject({ status: 'running', lines: 0, finishedAt: null });
  const xml = `<reconciliation><provider>sandbox</provider><from>${body.from}</from><to>${body.to}</to></reconciliation>`;
  const inXml = { accept: 'application/xml', 'content-type': 'application/xml' };
  const asXml = await ingress.call('POST', PATH, { key, body: xml, headers: inXml });
  expect([asXml.status, asXml.text]).toEqual([202, expect.stringContaining('<status>running</status>')]);
  expectProblem(
    await ingress.call('POST', `${PATH}?provider=sandbox`, { key, body }),
    400,
    'INVALID_ARGUMENT',
  );
});

test('a key that does not cover all accounts sees no statement', async () => {
  const some = await ingress.client({ accounts: ['acct-*'] });
  expectProblem(await ingress.call('GET', PATH, { key: some }), 403, 'UNAUTHORIZED');
  expectProblem(await ingress.call('GET', `${PATH}/${randomUUID()}`, { key }), 404, 'NOT_FOUND');
});
