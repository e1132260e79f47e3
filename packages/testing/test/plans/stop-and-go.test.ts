import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runPlans } from '@replenish/assembly';
import { type Domain, openDomain, type PlanLineView } from '@replenish/domain';
import type { Logger } from '@replenish/runtime';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase } from '../../src/fleet/database.js';
import { execute } from '../../src/fleet/server.js';
import { until } from '../../src/until.js';

const LIMIT = { limitMs: 120_000 };
const LINES = 300;
/** Every tenth line is of an account that gets its payee only while the plan runs. */
const isLate = (line: number): boolean => line % 10 === 0;
const log = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;

let database: Awaited<ReturnType<typeof createDatabase>>;
let workers: Domain[];
beforeAll(async () => {
  database = await createDatabase();
  workers = [0, 1].map(() =>
    openDomain({
      ...{ databaseUrl: database.url, poolMax: 4, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000 },
    }),
  );
});
afterAll(async () => {
  await Promise.all(workers.map((domain) => domain.close()));
  await database.release();
});

const total = (lines: readonly number[]): bigint => BigInt(lines.reduce((sum, line) => sum + line, 0));
const paysTo = (accountId: string) =>
  workers[0]!.payees.set(
    {
      ...{ accountId, provider: 'alibaba_cloud', providerAccount: 'main', to: `fa-${accountId}` },
      ...{ from: null, currency: 'USD' },
    },
    'test',
  );

/** A plan that runs under the ceiling of its key. The amount of a line is its number. */
async function running(dayMinor: bigint) {
  const { plans, clients } = workers[0]!;
  const ceilings = { USD: { requestMinor: null, dayMinor } };
  const key = await clients.create({
    ...{ name: `c-${uuidv7()}`, env: 'test', scopes: ['plans:write'], accounts: ['*'], ceilings },
  });
  const numbers = Array.from({ length: LINES }, (_, at) => at + 1);
  const planId = uuidv7();
  await plans.create({
    ...{ id: planId, clientId: key.clientId, idempotencyKey: null, name: planId, currency: 'USD' },
    ...{ budgetMinor: null, canaryMinor: null, createdBy: key.keyId, correlationId: 'c' },
    totalMinor: total(numbers),
    lines: numbers.map((line) => ({
      ...{
        line,
        accountId: `${planId.slice(-6)}-${isLate(line) ? 'late' : line % 7}`,
        amountMinor: BigInt(line),
      },
      ...{ paymentMethod: 'fund_account', destination: null, providerAccount: null, orderReference: null },
    })),
  });
  for (const nth of Array(7).keys()) await paysTo(`${planId.slice(-6)}-${nth}`);
  await plans.move({ planId, verb: 'start', by: key.keyId });
  return { planId, numbers, late: `${planId.slice(-6)}-late` };
}

/** Two processes that run plans. Their batches have different lengths, and their lines come in uneven steps. */
function run() {
  let created = 0;
  const runners = workers.map((domain, nth) =>
    runPlans({
      domain: {
        plans: domain.plans,
        clients: domain.clients,
        createRecharge: async (ask) => {
          await new Promise((resolve) => setTimeout(resolve, (++created * 7) % 11));
          return domain.createRecharge(ask);
        },
      },
      providers: { names: ['alibaba_cloud'], route: () => null, accounts: () => [] },
      queues: { hint: async () => true, room: async () => [nth === 0 ? 5 : 17] },
      log,
    }),
  );
  return { close: () => Promise.all(runners.map((runner) => runner.close())) };
}

const linesOf = (planId: string) => workers[0]!.plans.lines(planId, { afterPlace: 0, limit: LINES });
const move = (planId: string, verb: 'pause' | 'resume' | 'cancel') =>
  workers[1]!.plans.move({ planId, verb, by: 'operator' });
/** A worker that died with a plan keeps it for seconds. Here another worker has it at once. */
const takenAnew = (planId: string) =>
  execute(
    database.url,
    `update recharge_plan set due_at = now() - interval '1 s' where id = '${planId}' and status = 'running'`,
  );

const hasGrownFrom = (planId: string, before: number) =>
  until(
    async () => {
      const now = startedOf(await linesOf(planId)).length;
      return now > before || now === LINES ? now : 0;
    },
    LIMIT,
    'a further line',
  );
const startedOf = (lines: readonly PlanLineView[]) => lines.filter(({ status }) => status !== 'not_started');

/** The progress that is kept says what the lines say. */
async function expectCounted(planId: string): Promise<void> {
  const { sums } = (await workers[0]!.plans.one(planId, null))!;
  const lines = await linesOf(planId);
  for (const { status, lines: count, amountMinor } of sums) {
    const those = lines.filter((line) => line.status === status);
    expect([status, count, amountMinor]).toEqual([
      ...[status, those.length, total(those.map(({ line }) => line))],
    ]);
  }
  expect(sums.reduce((sum, { lines: count }) => sum + count, 0)).toBe(LINES);
}

test('a plan that two workers run while it is paused and resumed: each line once, each amount counted once', async () => {
  const everything = total(Array.from({ length: LINES }, (_, at) => at + 1));
  const { planId, late } = await running(everything);
  const runners = run();
  let started = 0;
  for (let pauses = 0; pauses < 12; pauses++) {
    started = await hasGrownFrom(planId, started);
    await takenAnew(planId);
    await move(planId, 'pause');
    // From here on a line that was refused and not noted has another result.
    if (pauses === 3) await paysTo(late);
    await expectCounted(planId);
    await move(planId, 'resume');
  }
  await until(async () => startedOf(await linesOf(planId)).length === LINES, LIMIT, 'every line');
  await runners.close();
  const lines = await linesOf(planId);
  const made = lines.filter(({ transactionId }) => transactionId !== null);
  expect(new Set(made.map(({ transactionId }) => transactionId)).size).toBe(made.length);
  for (const line of lines.filter(({ transactionId }) => transactionId === null))
    expect(line).toMatchObject({ status: 'failed', failureCode: 'INVALID_ARGUMENT', accountId: late });
  for (const { line, transactionId } of made)
    expect(await workers[0]!.reads.recharge(transactionId!)).toMatchObject({ amountMinor: BigInt(line) });
  await expectCounted(planId);
  expect(await workers[0]!.verify()).toEqual([]);
});

test('a plan that is canceled while two workers run it: its lines say what became of them, and no more follow', async () => {
  const { planId } = await running(1_000_000_000n);
  const runners = run();
  const before = await hasGrownFrom(planId, 0);
  await takenAnew(planId);
  await hasGrownFrom(planId, before);
  await move(planId, 'cancel');
  await runners.close();
  const lines = await linesOf(planId);
  expect(lines.some(({ status }) => status === 'not_started')).toBe(true);
  for (const { status, transactionId, failureCode } of lines)
    expect([status, transactionId !== null, failureCode]).toEqual(
      transactionId !== null
        ? ['accepted', true, null]
        : [status, false, status === 'failed' ? 'INVALID_ARGUMENT' : null],
    );
  await expectCounted(planId);
  const again = run();
  await execute(database.url, `select pg_sleep(1)`);
  await again.close();
  expect(startedOf(await linesOf(planId))).toEqual(startedOf(lines));
  expect(await workers[0]!.verify()).toEqual([]);
});
