import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { type PlanRunner, runPlans } from '@replenish/assembly';
import { type Created, type Domain, openDomain } from '@replenish/domain';
import type { Logger } from '@replenish/runtime';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase } from '../../src/fleet/database.js';
import { execute } from '../../src/fleet/server.js';
import { until } from '../../src/until.js';

const CLIENT = '00000000-0000-7000-8000-00000000000a';
const ACCOUNT = 'acct-1';
/** How many lines of each batch were stopped. */
const stoppedLines: number[] = [];
const log = {
  info: ({ stopped }: { stopped?: number }) => stopped !== undefined && stoppedLines.push(stopped),
  warn: () => {},
  error: () => {},
} as unknown as Logger;

let database: Awaited<ReturnType<typeof createDatabase>>;
let domain: Domain;
let runner: PlanRunner | undefined;
beforeAll(async () => {
  database = await createDatabase();
  domain = openDomain({
    ...{ databaseUrl: database.url, poolMax: 4, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000 },
  });
  await execute(database.url, `insert into client (id, name, env) values ('${CLIENT}', 'plans', 'test')`);
});
afterEach(() => runner?.close());
afterAll(async () => {
  await domain.close();
  await database.release();
});

const paysTo = (to: string) =>
  domain.payees.set(
    {
      ...{ accountId: ACCOUNT, provider: 'alibaba_cloud', providerAccount: 'main', to },
      ...{ from: null, currency: 'USD' },
    },
    'test',
  );
async function arrives(transactionId: string): Promise<void> {
  for (const news of ['submit', 'settled'] as const)
    await domain.applyNews({ transactionId, news, source: 'submission', reason: 'as tested' });
}

/** Starts a plan of deliveries to ACCOUNT. Returns its id. */
async function running(amounts: readonly bigint[], canaryMinor: bigint | null): Promise<string> {
  const id = uuidv7();
  await domain.plans.create({
    ...{ id, clientId: CLIENT, idempotencyKey: null, name: id, currency: 'USD', budgetMinor: null },
    ...{ canaryMinor, createdBy: 'operator', correlationId: 'c' },
    totalMinor: amounts.reduce((sum, amount) => sum + amount, 0n),
    lines: amounts.map((amountMinor, at) => ({
      ...{ line: at + 1, accountId: ACCOUNT, amountMinor, paymentMethod: 'fund_account' },
      ...{ destination: null, providerAccount: null, orderReference: null },
    })),
  });
  await domain.plans.move({ planId: id, verb: 'start', by: 'operator' });
  return id;
}
const linesOf = (planId: string) => domain.plans.lines(planId, { afterPlace: 0, limit: 10 });
/** Waits until `count` lines of a plan have a recharge. Returns the ids of these recharges. */
const rechargesOf = (planId: string, count: number) =>
  until(
    async () => {
      const made = (await linesOf(planId)).flatMap((line) => line.transactionId ?? []);
      return made.length === count && made;
    },
    { limitMs: 60_000 },
    `${count} lines with a recharge`,
  );

/** Runs plans. `happening` is called once, when the first `after` lines of a batch have their recharges. */
function run(happening: () => Promise<unknown>, after = 0): PlanRunner {
  const first: Promise<Created>[] = [];
  let happened: Promise<unknown> | undefined;
  return runPlans({
    domain: {
      plans: domain.plans,
      clients: domain.clients,
      createRecharge: async (ask) => {
        if (first.length < after) {
          first.push(domain.createRecharge(ask));
          return first.at(-1)!;
        }
        happened ??= Promise.all(first).then(happening);
        await happened;
        return domain.createRecharge(ask);
      },
    },
    providers: { names: ['alibaba_cloud'], route: () => null, accounts: () => [] },
    queues: { hint: async () => true, room: async (queues) => queues.map(() => 64) },
    log,
  });
}

test('a payee that changes after the lines were judged gets the small line first', async () => {
  await paysTo('fa-known');
  const known = await domain.createRecharge({
    ...{ id: uuidv7(), clientId: CLIENT, idempotencyKey: 'known', accountId: ACCOUNT, amountMinor: 10n },
    ...{ kind: 'deliver', funding: 'house', paymentMethod: 'fund_account', provider: null },
    ...{ currency: 'USD', metadata: {}, requestedAt: null, correlationId: 'c' },
  });
  if (!known.ok) throw new Error(known.problem);
  await arrives(known.recharge.id);
  const planId = await running([500n, 100n, 700n], 100n);
  runner = run(() => paysTo('fa-other'));
  const [small] = await rechargesOf(planId, 1);
  const lines = await until(
    async () => {
      const found = await linesOf(planId);
      return found.filter(({ isHeld }) => isHeld).length === 2 && found;
    },
    { limitMs: 60_000 },
    'two lines that are held',
  );
  expect(lines.map(({ transactionId }) => transactionId)).toEqual([null, small, null]);
  expect(await domain.reads.recharge(small!)).toMatchObject({ amountMinor: 100n, payee: { to: 'fa-other' } });
  await arrives(small!);
  for (const id of await rechargesOf(planId, 3))
    expect(await domain.reads.recharge(id)).toMatchObject({ payee: { to: 'fa-other' } });
});

test.each([
  ['before the first line is stored', 0],
  ['between two lines', 1],
])('a pause %s stores no further line of the batch, and a resume stores each once', async (_, stored) => {
  await paysTo('fa-known');
  stoppedLines.length = 0;
  const planId = await running([1n, 2n, 3n], null);
  runner = run(() => domain.plans.move({ planId, verb: 'pause', by: 'operator' }), stored);
  await until(
    async () => stoppedLines.at(-1) === 3 - stored,
    { limitMs: 60_000 },
    'a batch that was stopped',
  );
  expect((await linesOf(planId)).filter(({ transactionId }) => transactionId)).toHaveLength(stored);
  await domain.plans.move({ planId, verb: 'resume', by: 'operator' });
  const made = await rechargesOf(planId, 3);
  expect(new Set(made).size).toBe(3);
});
