import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { until } from '../../src/until.js';
import { killAndRevive, openStage, patience, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

// Ten thousand recharges take minutes.
const LIMIT_MS = 3 * TEST_LIMIT_MS;
jest.setTimeout(LIMIT_MS);

const LINES = 10_000;
const UPLOADS = 3;

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    ...{ workers: 2, redisUrl: process.env.REDIS_URL ?? null },
    processes: [
      ...(['sandbox', 'ingress', 'submission-worker', 'webhook-worker', 'reconciliation-worker'] as const),
      'automation-worker',
    ],
    // On a busy machine an answer may take seconds. With a shorter limit the order is sent again with its key.
    env: { ...patience, PROVIDER_TIMEOUT_MS: '20000' },
  });
});
afterAll(() => stage?.close());

type PlanShown = Readonly<{ planId: string; status: string; notStarted: number; done: number }>;

let keys = 0;
async function call(path: string, body?: string, type = 'application/json'): Promise<Response> {
  const response = await fetch(`${stage.fleet.ingressUrl}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: stage.producer.authorization,
      accept: path.endsWith('/lines') ? 'text/csv' : 'application/json',
      ...(body !== undefined && { 'content-type': type, 'idempotency-key': `long-${++keys}` }),
    },
    ...(body && { body }),
  });
  if (!response.ok) throw new Error(`${path} was answered ${response.status} ${await response.text()}`);
  return response;
}
const shown = async (response: Promise<Response>) => (await (await response).json()) as PlanShown;

const csv = [
  'line,accountId,amount,currency,paymentMethod',
  ...Array.from({ length: LINES }, (_, at) => `${at + 1},acct-${at % 997},${at + 1},USD,sandbox`),
].join('\r\n');
const upload = () => shown(call('/v1/plans?name=long', csv, 'text/csv'));

async function created(planId: string): Promise<number> {
  const { rows } = await stage.db.query<{ count: number }>(
    `select count(*)::int as count from report.recharges where idempotency_key like 'plan ' || $1 || ' %'`,
    [planId],
  );
  return rows[0]!.count;
}

test('10,000 lines that are uploaded three times while workers are killed happen once, and the result file is whole', async () => {
  const uploaded = await Promise.all(Array.from({ length: UPLOADS }, upload));
  const [planId = ''] = [...new Set(uploaded.map((plan) => plan.planId))];
  expect(uploaded.map((plan) => plan.planId)).toEqual(Array(UPLOADS).fill(planId));
  await call(`/v1/plans/${planId}/start`, '');
  for (const part of [0.1, 0.3, 0.5]) {
    await until(
      async () => (await created(planId)) > part * LINES,
      { limitMs: LIMIT_MS },
      `${part} of the lines`,
    );
    await killAndRevive(stage.fleet, 'automation-worker', part === 0.3 ? 1 : 0);
    expect((await upload()).planId).toBe(planId);
  }
  // A pause is answered after the lines that are being stored, and then no line is stored.
  expect((await shown(call(`/v1/plans/${planId}/pause`, ''))).status).toBe('paused');
  const atPause = await created(planId);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(await created(planId)).toBe(atPause);
  await call(`/v1/plans/${planId}/resume`, '');
  await until(
    async () => (await shown(call(`/v1/plans/${planId}`))).status === 'finished',
    { limitMs: LIMIT_MS, everyMs: 1_000 },
    'a finished plan',
  );
  const [, ...result] = (await (await call(`/v1/plans/${planId}/lines`)).text()).trim().split(/\r?\n/);
  const rows = result.map((line) => line.split(','));
  expect(rows.map(([line]) => Number(line))).toEqual(Array.from({ length: LINES }, (_, at) => at + 1));
  expect(rows.filter((row) => !row.includes('succeeded'))).toEqual([]);
  expect(await created(planId)).toBe(LINES);
  expect(await checkBooks(stage.fleet, { calls: stage.producer.calls })).toEqual([]);
});
