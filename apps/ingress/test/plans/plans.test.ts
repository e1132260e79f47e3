import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { type Answer, type Ingress, openIngress, type Row } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

let keys = 0;
const post = (body: unknown, { query = '', as = key, ...headers }: Record<string, unknown> = {}) =>
  ingress.call('POST', `/v1/plans${query}`, {
    key: as as NewKey,
    body,
    headers: { 'idempotency-key': `plan-${++keys}`, ...(headers as Record<string, string>) },
  });
const lineOf = (line: number, changes: Row = {}): Row => ({
  ...{ line, accountId: `acct-${line}`, amount: 100 * line, currency: 'USD', paymentMethod: 'sandbox' },
  ...changes,
});
const verb = (planId: unknown, name: string, as = key) =>
  ingress.call('POST', `/v1/plans/${planId}/${name}`, { key: as });
const faultsOf = ({ body }: Answer) => body.errors.map(({ path, message }) => `${path} ${message}`);

test('a plan is stored as a draft, with its lines and their sum', async () => {
  const { status, body, headers } = await post({ name: 'first', lines: [lineOf(1), lineOf(2)] });
  expect([status, headers.get('location')]).toEqual([201, `/v1/plans/${body.planId}`]);
  expect(body).toMatchObject({
    ...{ name: 'first', status: 'draft', lines: 2, total: 300, currency: 'USD', budget: null },
    ...{ done: 0, succeeded: 0, failed: 0, inProgress: 0, notStarted: 2 },
    amounts: { succeeded: 0, failed: 0, inProgress: 0, notStarted: 300 },
  });
  expect((await ingress.call('GET', `/v1/plans/${body.planId}`, { key })).body).toEqual(body);
  const { body: list } = await ingress.call('GET', '/v1/plans', { key });
  expect(list.data[0]).toMatchObject({ planId: body.planId, lines: 2, total: 300 });
});

test('the same name and content is the same plan, in any order of its lines and with any key', async () => {
  const first = await post({ name: 'again', lines: [lineOf(1), lineOf(2)] });
  const second = await post({ name: 'again', lines: [lineOf(2), lineOf(1)] });
  expect([second.status, second.headers.get('idempotent-replayed')]).toEqual([200, 'true']);
  expect(second.body).toEqual(first.body);
  const other = await post({ name: 'again', lines: [lineOf(1)] });
  expectProblem(other, 409, 'DUPLICATE_REQUEST');
});

test('an idempotency key stands for one plan, and is needed', async () => {
  const first = await post({ name: 'keyed', lines: [lineOf(1)] }, { 'idempotency-key': 'one' });
  const again = await post({ name: 'keyed', lines: [lineOf(1)] }, { 'idempotency-key': 'one' });
  expect([again.status, again.body.planId]).toEqual([200, first.body.planId]);
  const other = await post({ name: 'other', lines: [lineOf(1)] }, { 'idempotency-key': 'one' });
  expectProblem(other, 422, 'DUPLICATE_REQUEST');
  const keyless = await ingress.call('POST', '/v1/plans', { key, body: { name: 'x', lines: [lineOf(1)] } });
  expectProblem(keyless, 400, 'INVALID_ARGUMENT');
});

test('every fault is named by line and column, and nothing is stored', async () => {
  const answer = await post({
    name: 'faulty',
    lines: [
      lineOf(1, { amount: '100' }),
      lineOf(2, { accountId: 'a b', currency: 'EUR' }),
      lineOf(2),
      lineOf(4, { amount: 1.5, paymentMethod: 'gold', colour: 'red' }),
      lineOf(5, { amount: { toString: null } }),
    ],
  });
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(faultsOf(answer)).toEqual([
    'lines.0.amount line 1, column amount: must be an integer of minor units, in JSON without quotes',
    'lines.1.accountId line 2, column accountId: must be 1 to 64 of A-Z a-z 0-9 . _ : -',
    'lines.1.currency line 2, column currency: is EUR, and the plan is in USD: it has one currency',
    'lines.2.line line 2, column line: has the number of an earlier line, line 2',
    'lines.3.colour line 4, column colour: is not a known field',
    'lines.3.amount line 4, column amount: must be a positive integer of minor units, in digits',
    expect.stringContaining('lines.3.paymentMethod line 4, column paymentMethod: must be one of'),
    'lines.4.amount line 5, column amount: must be a positive integer of minor units, in digits',
  ]);
  expect(await ingress.sql(`select from recharge_plan where name = 'faulty'`)).toEqual([]);
});

test('a sum above the budget is refused, and the budget itself is not', async () => {
  const lines = [lineOf(1), lineOf(2)];
  expectProblem(await post({ name: 'dear', budget: 299, lines }), 400, 'INVALID_ARGUMENT');
  expect((await post({ name: 'dear', budget: 300, lines })).body).toMatchObject({ budget: 300 });
});

test('a sum that is no exact JSON number is refused', async () => {
  const lines = [{ ...lineOf(1), amount: Number.MAX_SAFE_INTEGER }, lineOf(2)];
  const refused = await post({ name: 'vast', lines });
  expectProblem(refused, 400, 'INVALID_ARGUMENT');
  expect(refused.body.errors.map(({ path }) => path)).toEqual(['lines']);
});

test('an account that the key does not cover is refused by its line', async () => {
  const narrow = await ingress.client({ accounts: ['acct-1'] });
  const answer = await post({ name: 'foreign', lines: [lineOf(1), lineOf(2)] }, { as: narrow });
  expectProblem(answer, 403, 'UNAUTHORIZED');
  expect(faultsOf(answer)).toEqual([
    'lines.1.accountId line 2, column accountId: the key does not cover this account',
  ]);
});

test('a plan is seen by its client only, and by keys that cover each of its accounts', async () => {
  const { body } = await post({ name: 'private', lines: [lineOf(8), lineOf(9)] });
  const stranger = await ingress.client();
  const narrow = (await ingress.domain.clients.addKey(key.clientId, {
    scopes: ['plans:read', 'plans:write'],
    accounts: ['acct-8'],
  }))!;
  for (const as of [stranger, narrow]) {
    for (const path of ['', '/lines'])
      expectProblem(
        await ingress.call('GET', `/v1/plans/${body.planId}${path}`, { key: as }),
        404,
        'NOT_FOUND',
      );
    expectProblem(await verb(body.planId, 'start', as), 404, 'NOT_FOUND');
    expect((await ingress.call('GET', '/v1/plans', { key: as })).body.data).toEqual([]);
  }
});

test('a plan is started, paused, resumed and canceled, and each verb may be repeated', async () => {
  const { body } = await post({ name: 'moves', lines: [lineOf(1)] });
  for (const [name, status, replayed = null] of [
    ['pause', 409],
    ['resume', 409],
    ['start', 'running'],
    ['start', 'running', 'true'],
    ['resume', 'running', 'true'],
    ['pause', 'paused'],
    ['pause', 'paused', 'true'],
    ['start', 409],
    ['resume', 'running'],
    ['cancel', 'canceled'],
    ['cancel', 'canceled', 'true'],
    ['start', 409],
    ['resume', 409],
    ['pause', 409],
  ] as const) {
    const answer = await verb(body.planId, name);
    expect([name, answer.status === 200 ? answer.body.status : answer.status]).toEqual([name, status]);
    expect([name, answer.headers.get('idempotent-replayed')]).toEqual([name, replayed]);
  }
});

test('a plan that is started twice without a key is the same start, also when it has finished meanwhile', async () => {
  const { body } = await post({ name: 'twice', lines: [lineOf(1)] });
  const [one, other] = await Promise.all([verb(body.planId, 'start'), verb(body.planId, 'start')]);
  expect([one.status, other.status]).toEqual([200, 200]);
  const { work } = ingress.domain.plans;
  await work.advance(body.planId as string, 1, [{ place: 1, code: 'NO_MONEY', message: 'no money' }]);
  expect(await work.settle(body.planId as string)).toBe(true);
  const again = await verb(body.planId, 'start');
  expect([again.status, again.body.status, again.headers.get('idempotent-replayed')]).toEqual([
    ...[200, 'finished', 'true'],
  ]);
});

test('XML with the lines in the root or in a list is the same plan as JSON', async () => {
  const json = await post({
    name: 'in xml',
    budget: 500,
    lines: [lineOf(1, { orderReference: 'a & b' }), lineOf(2)],
  });
  const one = `<line><line>1</line><accountId>acct-1</accountId><amount>100</amount><currency>USD</currency><orderReference>a &amp; b</orderReference></line>`;
  const two = `<line><line>2</line><accountId>acct-2</accountId><amount>200</amount><currency>USD</currency><paymentMethod>sandbox</paymentMethod></line>`;
  const xml = { 'content-type': 'application/xml', accept: 'application/xml' };
  for (const body of [
    `<plan><name>in xml</name><budget>500</budget>${one}${two}</plan>`,
    `<plan><name>in xml</name><budget>500</budget><lines>${one}${two}</lines></plan>`,
  ]) {
    const answer = await post(body, xml);
    expect([answer.status, answer.text.includes(`<planId>${json.body.planId}</planId>`)]).toEqual([
      200,
      true,
    ]);
  }
  const inQuery = await post(`<plan>${one}${two}</plan>`, { query: '?name=in%20xml&budget=500', ...xml });
  expect(inQuery.text).toContain(`<planId>${json.body.planId}</planId>`);
  const faulty = await post(`<plan>${one.replace('100', '1,00')}${two}</plan>`, { query: '?name=y', ...xml });
  expect([faulty.status, faulty.text.includes('line 1, column amount')]).toEqual([400, true]);
});

test('the lines are answered as JSON, in pages if wished, and as CSV', async () => {
  const { body } = await post({ name: 'lined', lines: [lineOf(1), lineOf(2), lineOf(3)] });
  const path = `/v1/plans/${body.planId}/lines`;
  const all = await ingress.call('GET', path, { key });
  expect(all.body.data.map(({ line, status }) => [line, status])).toEqual([
    [1, 'not_started'],
    [2, 'not_started'],
    [3, 'not_started'],
  ]);
  const first = await ingress.call('GET', `${path}?limit=2`, { key });
  const rest = await ingress.call('GET', `${path}?limit=2&cursor=${first.body.nextCursor}`, { key });
  expect([...first.body.data, ...rest.body.data]).toEqual(all.body.data);
  expect(rest.body.nextCursor).toBeNull();
  const csv = await ingress.call('GET', path, { key, headers: { accept: 'text/csv' } });
  expect(csv.text.split('\n').slice(0, 2)).toEqual([
    'line,accountId,amount,currency,paymentMethod,destination,orderReference,providerAccount,status,transactionId,failureCode,failureMessage,heldBecause',
    '1,acct-1,100,USD,sandbox,,,,not_started,,,,',
  ]);
});

test('a plan of 10,000 lines is taken, and one line more is refused', async () => {
  const lines = Array.from({ length: 10_001 }, (_, at) =>
    lineOf(at + 1, { orderReference: 'x'.repeat(200) }),
  );
  const taken = await post({ name: 'long', lines: lines.slice(1) });
  expect([taken.status, taken.body.lines]).toEqual([201, 10_000]);
  const refused = await post({ name: 'too long', lines });
  expectProblem(refused, 400, 'INVALID_ARGUMENT');
  expect(refused.text).toContain('at most 10000 lines');
});

const dry = (body: unknown, as = key) => ingress.call('POST', '/v1/plans?dryRun=true', { key: as, body });

test('a dry run says what would become of a plan, needs no key, and stores nothing', async () => {
  const fine = await dry({ name: 'dry', lines: [lineOf(1), lineOf(2)] });
  expect(fine.status).toBe(200);
  expect(fine.body).toMatchObject({
    wouldBe: 'accepted',
    lines: 2,
    total: 300,
    refused: [],
    approval: false,
  });

  await ingress.sql(
    `insert into ledger_account (name, currency, balance_minor) values ('wallet:acct-rich:available', 'USD', 150)`,
  );
  const paid = (line: number, changes: Row) =>
    lineOf(line, { accountId: 'acct-rich', paymentMethod: 'balance', ...changes });
  const poor = await dry({
    name: 'dry',
    budget: 100,
    lines: [
      paid(1, { amount: 100 }),
      paid(2, { amount: 100 }),
      paid(3, { amount: 50 }),
      lineOf(4, { destination: 'cloud' }),
    ],
  });
  expect(poor.body).toMatchObject({
    wouldBe: 'refused',
    refused: [
      { line: 2, check: 'balance' },
      { line: 4, check: 'payee' },
    ],
  });
  const failing = (poor.body.checks as { name: string; ok: boolean }[]).filter(({ ok }) => !ok);
  expect(failing.map(({ name }) => name)).toEqual(['budget', 'payee', 'balance']);
  expect(await ingress.sql(`select from recharge_plan where name = 'dry'`)).toEqual([]);
});

test('a dry run of a plan looks at the accounts and the ceilings of the key', async () => {
  const narrow = await ingress.client({
    accounts: ['acct-1*'],
    ceilings: { USD: { requestMinor: 1_000n, dayMinor: 1_100n } },
  });
  const bounded = await dry(
    { name: 'dry', lines: [lineOf(10), lineOf(11), lineOf(1), lineOf(12, { amount: 1 }), lineOf(2)] },
    narrow,
  );
  expect(bounded.body.refused).toMatchObject([
    { line: 2, check: 'account' },
    { line: 11, check: 'ceiling' },
    { line: 12, check: 'ceiling' },
  ]);
  expectProblem(await dry({ name: 'dry', lines: [lineOf(1, { amount: 0 })] }), 400, 'INVALID_ARGUMENT');
});

test('a long file that is uploaded several times at once is one plan', async () => {
  const lines = Array.from({ length: 5_000 }, (_, at) => lineOf(at + 1));
  const answers = await Promise.all([1, 2, 3, 4].map(() => post({ name: 'at once', lines })));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 201]);
  expect(new Set(answers.map(({ body }) => body.planId)).size).toBe(1);
});

test('a body beyond the limit of the other routes is taken here only, and an empty one is refused', async () => {
  const lines = Array.from({ length: 2_000 }, (_, at) => lineOf(at + 1, { orderReference: 'x'.repeat(100) }));
  expect((await post({ name: 'large', lines })).status).toBe(201);
  const elsewhere = await ingress.call('POST', '/v1/recharges', { key, body: { lines } });
  expect(elsewhere.status).toBe(413);
  for (const type of ['application/json', 'application/xml', 'text/csv'])
    expectProblem(await post('', { query: '?name=empty', 'content-type': type }), 400, 'INVALID_ARGUMENT');
});
