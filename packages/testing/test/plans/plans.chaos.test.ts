import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { until } from '../../src/until.js';
import { openStage, patience, revived, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let db: pg.Client;

beforeAll(async () => {
  stage = await openStage({
    workers: 2,
    processes: [
      ...(['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const),
      'automation-worker',
    ],
    // On a busy machine the answer to an order may take seconds. With a shorter time limit, the order would be sent a
    // second time with its key.
    env: { ...patience, PROVIDER_TIMEOUT_MS: '20000' },
  });
  ({ fleet, db } = stage);
});

afterAll(() => stage?.close());

type Plan = Readonly<{
  planId: string;
  status: string;
  lines: number;
  done: number;
  succeeded: number;
  failed: number;
  inProgress: number;
  notStarted: number;
}>;

let keys = 0;
async function call<Body = Plan>(
  path: string,
  body?: string | object,
  contentType = 'application/json',
): Promise<Readonly<{ status: number; body: Body }>> {
  const headers = {
    ...{ authorization: stage.producer.authorization, 'content-type': contentType },
    'idempotency-key': `plans-${++keys}`,
  };
  const sent = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(`${fleet.ingressUrl}${path}`, {
    ...(sent === undefined
      ? { headers: { authorization: headers.authorization } }
      : { method: 'POST', headers }),
    ...(sent && { body: sent }),
  });
  return { status: response.status, body: (await response.json()) as Body };
}

const move = (planId: string, verb: string) => call(`/v1/plans/${planId}/${verb}`, '');
const planAt = async (planId: string): Promise<Plan> => (await call(`/v1/plans/${planId}`)).body;
const csvOf = (lines: number, change: (line: number) => string = (line) => `acct-${line % 97}`): string =>
  [
    'line,accountId,amount,currency,paymentMethod',
    ...Array.from({ length: lines }, (_, at) => `${at + 1},${change(at + 1)},${at + 1},USD,sandbox`),
  ].join('\r\n');
const upload = (name: string, csv: string) => call(`/v1/plans?name=${name}`, csv, 'text/csv');

const becomes = (planId: string, status: string): Promise<Plan> =>
  until(
    async () => {
      const plan = await planAt(planId);
      return plan.status === status ? plan : undefined;
    },
    { limitMs: TEST_LIMIT_MS },
    `plan ${status}`,
  );

/** The plan's recharges by line. Each line has one, whose amount is its number. */
async function expectEachLineOnce(planId: string, lines: number): Promise<void> {
  const { rows } = await db.query(
    `select count(*)::int as rows, count(distinct idempotency_key)::int as keys, sum(amount)::text as amount
     from report.recharges where idempotency_key like 'plan ' || $1 || ' %'`,
    [planId],
  );
  expect(rows).toEqual([{ rows: lines, keys: lines, amount: String((lines * (lines + 1)) / 2) }]);
  const orders = await db.query(
    `select status, count(*)::int from report.plan_lines where plan_id = $1 group by 1`,
    [planId],
  );
  expect(orders.rows).toEqual([{ status: 'succeeded', count: lines }]);
}

test('a plan runs to its end, and a line that is refused does not stop the others', async () => {
  const lines = [
    { line: 1, accountId: 'acct-1', amount: 100, currency: 'USD', paymentMethod: 'sandbox' },
    { line: 2, accountId: 'acct-poor', amount: 100, currency: 'USD', paymentMethod: 'balance' },
    { line: 3, accountId: 'acct-3', amount: 100, currency: 'USD', paymentMethod: 'sandbox' },
  ];
  const { body: plan } = await call('/v1/plans', { name: 'small', lines });
  expect((await move(plan.planId, 'start')).body.status).toBe('running');
  const { lines: count, done, succeeded, failed } = await becomes(plan.planId, 'finished');
  expect({ count, done, succeeded, failed }).toEqual({ count: 3, done: 3, succeeded: 2, failed: 1 });
  const { body } = await call<{ data: { status: string; failure: { code: string } | null }[] }>(
    `/v1/plans/${plan.planId}/lines`,
  );
  expect(body.data.map(({ status, failure }) => [status, failure?.code])).toEqual([
    ['succeeded', undefined],
    ['failed', 'INSUFFICIENT_BALANCE'],
    ['succeeded', undefined],
  ]);
});

test('a file that is uploaded three times while workers are killed happens once, line by line', async () => {
  const LINES = 300;
  const csv = csvOf(LINES);
  const plans: string[] = [];
  // Each kill has a plan of its own: the other worker may finish a plan before the next kill.
  for (const name of ['killed', 'killed-again']) {
    const { body: plan } = await upload(name, csv);
    plans.push(plan.planId);
    const starts = [0, 1].map((nth) => fleet.process('automation-worker', nth).starts);
    fleet.arm('plans.after-create');
    await move(plan.planId, 'start');
    await fleet.crashed('plans.after-create', TEST_LIMIT_MS / 4);
    for (let nth = 0; nth < 2; nth++) {
      const again = await upload(name, csv);
      expect([again.status, again.body.planId]).toEqual([200, plan.planId]);
      expect((await move(plan.planId, 'start')).status).toBe(200);
    }
    const dead = [0, 1].find((nth) => fleet.process('automation-worker', nth).starts > starts[nth]!);
    if (dead !== undefined) await revived(fleet, 'automation-worker', starts[dead]!, dead);
  }
  for (const planId of plans) {
    await becomes(planId, 'finished');
    await expectEachLineOnce(planId, LINES);
  }
  expect(await checkBooks(fleet, { calls: stage.producer.calls })).toEqual([]);
});

test('a paused plan creates nothing, and goes on where it was', async () => {
  const LINES = 1_000;
  const { body: plan } = await upload('paused', csvOf(LINES));
  await move(plan.planId, 'start');
  await until(
    async () => (await planAt(plan.planId)).notStarted < LINES,
    { limitMs: TEST_LIMIT_MS },
    'a start',
  );
  expect((await move(plan.planId, 'pause')).body.status).toBe('paused');
  const { notStarted } = await planAt(plan.planId);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  expect((await planAt(plan.planId)).notStarted).toBe(notStarted);
  expect(notStarted).toBeGreaterThan(0);
  await move(plan.planId, 'resume');
  await becomes(plan.planId, 'finished');
  await expectEachLineOnce(plan.planId, LINES);
});

test('a plan whose key was revoked is paused, and says why', async () => {
  const LINES = 3_000;
  const { body: plan } = await upload('revoked', csvOf(LINES));
  await move(plan.planId, 'start');
  await db.query(
    `update api_key set revoked_at = now() where id = (select started_by from recharge_plan where id = $1)`,
    [plan.planId],
  );
  const { rows } = await until(
    async () => {
      const found = await db.query(
        `select status, paused_because from report.plans where plan_id = $1 and status <> 'running'`,
        [plan.planId],
      );
      return found.rows.length > 0 ? found : undefined;
    },
    { limitMs: TEST_LIMIT_MS },
    'the plan ends',
  );
  expect(rows).toEqual([{ status: 'paused', paused_because: 'KEY_GONE' }]);
});
