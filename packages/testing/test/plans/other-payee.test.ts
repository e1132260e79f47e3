import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type PlanRunner, runPlans } from '@replenish/assembly';
import { type Domain, openDomain } from '@replenish/domain';
import type { Logger } from '@replenish/runtime';
import { v7 as uuidv7 } from 'uuid';
import { createDatabase } from '../../src/fleet/database.js';
import { execute } from '../../src/fleet/server.js';
import { until } from '../../src/until.js';

const CLIENT = '00000000-0000-7000-8000-00000000000a';
const ACCOUNT = 'acct-1';
const log = { info: () => {}, warn: () => {}, error: () => {} } as unknown as Logger;

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
afterAll(async () => {
  await runner?.close();
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

/** A plan of deliveries to the account that runs, with a canary of 100. */
async function running(amounts: readonly bigint[]): Promise<string> {
  const id = uuidv7();
  await domain.plans.create({
    ...{ id, clientId: CLIENT, idempotencyKey: null, name: id, currency: 'USD', budgetMinor: null },
    ...{ canaryMinor: 100n, createdBy: 'operator', correlationId: 'c' },
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
/** The recharges of the first lines, once so many have one. */
const rechargesOf = (planId: string, count: number) =>
  until(
    async () => {
      const made = (await linesOf(planId)).flatMap((line) => line.transactionId ?? []);
      return made.length === count && made;
    },
    { limitMs: 60_000 },
    `${count} lines with a recharge`,
  );

/** Runs plans. `beforeCreate` happens once, between the judgement of the first batch and its recharges. */
function run(beforeCreate: () => Promise<unknown>): PlanRunner {
  let happened: Promise<unknown> | undefined;
  return runPlans({
    domain: {
      plans: domain.plans,
      clients: domain.clients,
      createRecharge: async (ask) => {
        happened ??= beforeCreate();
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
  const planId = await running([500n, 100n, 700n]);
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
