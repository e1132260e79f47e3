import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { bearer, client, post, sandboxOrders, withBooks } from '../../src/fleet/producer.js';
import { eventBody, postEvent } from '../../src/fleet/webhook.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let key: NewKey;
beforeAll(async () => {
  stage = await openStage();
  key = await client(stage.fleet, {
    scopes: [
      ...['recharges:read', 'recharges:write', 'cases:read', 'cases:write'],
      ...['reconciliation:read', 'reconciliation:write'],
    ],
  });
});
afterAll(() => stage?.close());

type Answer = Readonly<{ status: number; body: Record<string, unknown> }>;
type Case = Readonly<{ caseId: string; kind: string; verbs: string[]; evidence: Record<string, unknown> }>;

async function call(path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { authorization: bearer(key), 'idempotency-key': randomUUID(), ...init.headers };
  const response = await fetch(`${stage.fleet.ingressUrl}${path}`, { ...init, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

const COLUMNS = 'line,at,orderId,reference,direction,amount,currency,balance';
const HOUR_MS = 3_600_000;

/** Sends a statement of the last hour, and waits until it was compared. */
async function compared(...lines: readonly string[]): Promise<void> {
  const [from, to] = [-HOUR_MS, HOUR_MS].map((ms) => new Date(Date.now() + ms).toISOString()) as [
    string,
    string,
  ];
  const query = new URLSearchParams({ provider: 'sandbox', from, to });
  const body = [COLUMNS, ...lines].join('\n');
  const sent = await call(`/v1/reconciliations?${query}`, {
    ...{ method: 'POST', body, headers: { 'content-type': 'text/csv' } },
  });
  expect([201, 202]).toContain(sent.status);
  const isOver = async () =>
    (await call(`/v1/reconciliations/${sent.body.runId}`)).body.status === 'finished';
  await until(isOver, { limitMs: TEST_LIMIT_MS / 4 }, 'the end of the comparison');
}

const openCases = async (kind: string): Promise<Case[]> =>
  (await call(`/v1/cases?status=open&kind=${kind}&limit=100`)).body.data as Case[];

/** Waits for an open case of a kind whose text has a word, and returns it. */
const caseWith = (kind: string, word: string): Promise<Case> =>
  until(
    async () => (await openCases(kind)).find((one) => JSON.stringify(one).includes(word)),
    { limitMs: 60_000 },
    `a case ${kind} with ${word}`,
  );

/** A recharge of a scenario that has reached a state. */
async function made(scenario: string, state: string): Promise<string> {
  const body = { accountId: 'acct-1', amount: 4_999, currency: 'USD', paymentMethod: 'sandbox' };
  const sent = await post(stage.fleet, { ...body, metadata: { scenario } }, { authorization: bearer(key) });
  const { transactionId } = sent.body;
  const isThere = async () => (await call(`/v1/recharges/${transactionId}`)).body.state === state;
  await until(isThere, { limitMs: TEST_LIMIT_MS / 4 }, `${transactionId} to be ${state}`);
  return transactionId;
}

const succeeded = () => made('ok', 'SUCCEEDED');
const underWay = () => made('never_settles', 'PENDING_CONFIRMATION');

const lineOf = (
  name: string,
  over: Partial<Record<'orderId' | 'reference' | 'direction' | 'balance', string>>,
  amount = 17,
): string =>
  [
    ...[name, new Date().toISOString(), over.orderId ?? '', over.reference ?? '', over.direction ?? 'in'],
    ...[amount, 'USD', over.balance ?? ''],
  ].join(',');

/** The provider says of one recharge that it was settled by the order of another. */
async function orderOfAnother(state: 'SUCCEEDED' | 'PENDING_CONFIRMATION'): Promise<string> {
  const [booked] = await sandboxOrders(stage.fleet, await succeeded());
  const reference = state === 'SUCCEEDED' ? await succeeded() : await underWay();
  const body = eventBody({ ...booked!, reference, accountId: 'acct-1' }, 'settled');
  expect(await postEvent(stage.fleet, `evt-${randomUUID()}`, body)).toBe(200);
  return reference;
}

/** Each opens a case through the fleet, and returns a word that the case has. */
const openings: readonly (readonly [kind: string, verbs: readonly string[], open: () => Promise<string>])[] =
  [
    [
      'statement_ours_only',
      ['dismiss'],
      async () => {
        const id = await succeeded();
        await compared(lineOf(randomUUID(), { orderId: randomUUID() }));
        return id;
      },
    ],
    [
      'statement_theirs_only',
      ['adopt', 'dismiss'],
      async () => {
        const orderId = randomUUID();
        await compared(lineOf(randomUUID(), { orderId }));
        return orderId;
      },
    ],
    [
      'statement_theirs_only',
      ['dismiss'],
      async () => {
        const orderId = randomUUID();
        await compared(lineOf(randomUUID(), { orderId, direction: 'out' }));
        return orderId;
      },
    ],
    [
      'statement_different',
      ['dismiss'],
      async () => {
        const reference = await succeeded();
        await compared(lineOf(randomUUID(), { reference }));
        return reference;
      },
    ],
    [
      'statement_different',
      ['dismiss'],
      async () => {
        const reference = await underWay();
        await compared(lineOf(randomUUID(), { reference }));
        return reference;
      },
    ],
    [
      'statement_different',
      ['adopt', 'dismiss'],
      async () => {
        const reference = await made('declined', 'FAILED');
        await compared(lineOf(randomUUID(), { reference }, 4_999));
        return reference;
      },
    ],
    [
      'statement_gap',
      ['dismiss'],
      async () => {
        const name = randomUUID();
        await compared(
          lineOf(`${name}-1`, { orderId: `${name}-1`, balance: '100' }),
          lineOf(`${name}-2`, { orderId: `${name}-2`, balance: '200' }),
        );
        return name;
      },
    ],
    ['booked_elsewhere', ['fail', 'dismiss'], () => orderOfAnother('PENDING_CONFIRMATION')],
    ['booked_elsewhere', ['dismiss'], () => orderOfAnother('SUCCEEDED')],
  ];

const uses = openings.flatMap(([kind, verbs, open]) => verbs.map((verb) => ({ kind, verb, verbs, open })));

test.each(uses)('$kind with $verbs is settled by $verb, once', async ({ kind, verb, verbs, open }) => {
  const { caseId, ...found } = await caseWith(kind, await open());
  expect(found.verbs).toEqual(verbs);
  const accountId = `acct-${caseId}`;
  const body = JSON.stringify({ verb, reason: 'as tested', evidence: { accountId } });
  const resolve = (idempotencyKey: string) =>
    call(`/v1/cases/${caseId}/resolutions`, {
      ...{ method: 'POST', body },
      headers: { 'content-type': 'application/json', 'idempotency-key': idempotencyKey },
    });
  const again = randomUUID();
  const answers = await Promise.all([resolve(again), resolve(again), resolve(randomUUID())]);
  // Two people use the verb, and one of them also repeats the request with the same key. Only one person's decision
  // counts. The repeated request has the answer of the first, or both are too late.
  expect([
    [200, 200, 409],
    [200, 409, 409],
  ]).toContainEqual(answers.map(({ status }) => status).toSorted());
  expect((await openCases(kind)).map((one) => one.caseId)).not.toContain(caseId);
  const { rows } = await stage.db.query(
    `select (select count(*)::int from operator_action where case_id = $1) as actions,
       (select coalesce(sum(available), 0)::int from report.wallets where account_id = $2) as available`,
    [caseId, accountId],
  );
  expect(rows).toEqual([
    { actions: 1, available: verb === 'adopt' && kind === 'statement_theirs_only' ? 17 : 0 },
  ]);
});

test('the books are closed, and a case that was closed is not opened again', async () => {
  const count = async () =>
    (await stage.db.query(`select from report.cases where kind = 'statement_gap'`)).rowCount;
  const before = await count();
  await compared(lineOf(randomUUID(), { orderId: randomUUID() }));
  expect(await count()).toBe(before);
  // A line that was adopted has no order at the provider, so the books alone are checked.
  expect(await withBooks(stage.fleet, (domain) => domain.verify())).toEqual([]);
});
