import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { simulatorKeys } from '@replenish/runtime';
import { checkBooks } from '../../src/books/books.js';
import { numbersOf } from '../support/numbers.js';
import { seed, TEST_LIMIT_MS } from '../support/setting.js';
import { type Payee, WholeStage } from '../support/whole.js';

// Three rails at once take minutes. Every lost answer waits for its time limit, and every delivery waits until the
// provider's list shows it.
jest.setTimeout(4 * TEST_LIMIT_MS);

/** A way of moving money. `faults` are those of its simulator, under names that all rails have in common. */
type Rail = Readonly<{
  name: string;
  paymentMethod: string;
  /** Orders a fault of the next order at the simulator. */
  order: (stage: WholeStage, fault: Fault, to: string) => Promise<void>;
  /** Whether a person pays in the middle, and the provider then sends a webhook. */
  isCollected: boolean;
  runs: number;
  /** Our accounts at the provider, where there are several. Empty: its one account. */
  payers: readonly string[];
}>;

const faults = [
  'timeout_after',
  'timeout_before',
  'reset_after',
  'server_error_after',
  'html_answer',
] as const;
type Fault = (typeof faults)[number];

const ofWorkers = [
  ...['submission.after-claim', 'submission.after-call', 'submission.after-answer'],
  ...['reconciliation.after-take', 'reconciliation.after-query'],
];
const ofWebhooks = ['webhook.before-apply', 'webhook.after-apply'];

const named = (fault: Fault, what: string) => (fault === 'html_answer' ? fault : `${fault}_${what}`);
const RUNS = 100;
const ofCloud: Rail['order'] = (stage, fault, to) =>
  stage.control('alibaba/behave', { scenario: named(fault, 'transfer'), to });
const collecting = (name: 'stripe' | 'alipay', paymentMethod: string): Rail => ({
  ...{ name, paymentMethod, isCollected: true, runs: RUNS, payers: [] },
  order: (stage, fault) => stage.control(`${name}/behave`, { scenario: named(fault, 'create') }),
});
const delivering = (name: string): Rail => ({
  ...{ name, paymentMethod: 'fund_account', isCollected: false, order: ofCloud, runs: RUNS, payers: [] },
});

/** Recharges of one account go one after the other, those of different accounts at the same time. */
const ACCOUNTS = 10;

/** One recharge: the fault of its provider, and the crash point that is armed when it is made. */
type Run = Readonly<{ fault: Fault | null; point: string | null; amount: number }>;

/**
 * Every third run has a fault. With more faults the breakers would open and all runs would wait. Every twelfth run has
 * a crash point.
 */
function planOf({ isCollected, runs }: Rail, next: (below: number) => number): Run[] {
  const points = isCollected ? [...ofWorkers, ...ofWebhooks] : ofWorkers;
  const inTurn = <T>(all: readonly T[], every: number): (T | null)[] =>
    Array.from({ length: runs }, (_, n) => (n % every === 0 ? all[(n / every) % all.length]! : null));
  const ofFaults = shuffled(inTurn(faults, 3), next);
  const ofPoints = shuffled(inTurn(points, 12), next);
  return ofFaults.map((fault, n) => ({ fault, point: ofPoints[n] ?? null, amount: 1 + next(100_000) }));
}

function shuffled<T>(list: readonly T[], next: (below: number) => number): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(next(rest.length), 1)[0]!);
}

async function carryOut(stage: WholeStage, rail: Rail, { accountId, to }: Payee, run: Run): Promise<void> {
  const { fault, point, amount } = run;
  if (fault) await rail.order(stage, fault, to);
  if (point) stage.fleet.arm(point);
  const more = rail.isCollected ? { destination: 'wallet' } : {};
  const id = await stage.recharge(accountId, rail.paymentMethod, amount, more);
  if (rail.paymentMethod === 'alipay') await stage.payByAlipay(id);
  await stage.succeeds(id, 1).catch((error: Error) => {
    throw new Error(`seed ${seed()}, ${rail.name}, ${JSON.stringify(run)}: ${error.message}`);
  });
  expect(await stage.moved(id)).toMatchObject([[expect.any(String), [{ amount, currency: 'CNY' }]]]);
}

async function carryOutAll(stage: WholeStage, rail: Rail, nth: number): Promise<void> {
  const runs = planOf(rail, numbersOf(seed() + nth));
  const runsOf = (own: number) => runs.filter((_run, n) => n % ACCOUNTS === own);
  const amountsOf = (payer: number) =>
    accounts
      .filter((own) => own % rail.payers.length === payer)
      .flatMap((own) => runsOf(own).map(({ amount }) => amount));
  for (const [at, payer] of rail.payers.entries()) await fund(stage, payer, amountsOf(at));
  const payees = await payeesOf(stage, rail);
  await Promise.all(
    payees.map(async (payee, own) => {
      for (const run of runsOf(own)) await carryOut(stage, rail, payee, run);
    }),
  );
  for (const [at, payer] of rail.payers.entries()) {
    const paid = (await stage.transfersFrom(fundAccountOf(payer))).map(({ amount }) => amount);
    expect(paid.toSorted(byNumber)).toEqual(amountsOf(at).toSorted(byNumber));
  }
}

const accounts = Array.from({ length: ACCOUNTS }, (_, own) => own);
const byNumber = (one: number, other: number) => one - other;
const fundAccountOf = (payer: string) => `fa-${payer}`;

/**
 * Gives a payer exactly the money of its runs. A transfer that is made twice, or from the wrong payer, would lack
 * money.
 */
const fund = (stage: WholeStage, payer: string, amounts: readonly number[]) =>
  stage.control('alibaba/fund-accounts', {
    ...{ id: fundAccountOf(payer), currency: 'CNY', cash: amounts.reduce((sum, amount) => sum + amount, 0) },
  });

/**
 * Each group of four accounts shares a cloud account. Each payer pays into it for two of the four, so these two share a
 * lane.
 */
async function payeesOf(stage: WholeStage, { payers }: Rail): Promise<Payee[]> {
  if (payers.length === 0) return Promise.all(accounts.map(() => stage.newPayee()));
  const payees: Payee[] = [];
  for (const own of accounts) {
    const to = payees[own - (own % (2 * payers.length))]?.to;
    payees.push(await stage.newPayee('CNY', { to, providerAccount: payers[own % payers.length]! }));
  }
  return payees;
}

const dir = mkdtempSync(join(tmpdir(), 'crash-rails-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Writes the file that configures the accounts of a provider, and returns its path. */
function providersFile(payers: readonly string[]): string {
  const linesOf = (payer: string): string => `
  ${payer}:
    access_key_id: ${simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_ID}
    access_key_secret: ${simulatorKeys.ALIBABA_CLOUD_ACCESS_KEY_SECRET}
    endpoint: http://127.0.0.1:\${SANDBOX_ALIBABA_PORT}
    fund_account_id: ${fundAccountOf(payer)}
    resubmit: \${ALIBABA_CLOUD_RESUBMIT}
    visibility_delay_ms: \${ALIBABA_CLOUD_VISIBILITY_DELAY_MS}
    scans: \${ALIBABA_CLOUD_SCANS}`;
  const path = join(dir, 'providers.yaml');
  writeFileSync(path, `alibaba_cloud:${payers.map(linesOf).join('')}\n`);
  return path;
}

const PAYERS = ['east', 'west'];
// Two accounts share a lane, and the orders of a lane go one after the other.
const shared: Rail = { ...delivering('fund_account of two accounts'), runs: 50, payers: PAYERS };

const fleets: readonly (readonly [rails: readonly Rail[], env: Readonly<Record<string, string>>])[] = [
  [[delivering('fund_account'), collecting('stripe', 'credit_card'), collecting('alipay', 'alipay')], {}],
  [[delivering('reseller_quota')], { ALIBABA_CLOUD_RAIL: 'reseller_quota' }],
  [[shared], { PROVIDERS_FILE: providersFile(PAYERS) }],
];

describe.each(fleets.map(([rails, env]) => [rails.map(({ name }) => name).join(', '), rails, env] as const))(
  '%s',
  (_names, rails, env) => {
    let stage: WholeStage;

    beforeAll(async () => {
      stage = await WholeStage.open({ env });
    });
    afterAll(() => stage?.close());

    test(`seed ${seed()}: all recharges of each rail, with faults of providers and deaths of workers: one order each`, async () => {
      process.stderr.write(`seed ${seed()}\n`);
      await Promise.all(rails.map((rail, nth) => carryOutAll(stage, rail, nth)));
    });

    test('the invariants hold', async () => {
      expect(await checkBooks(stage.fleet)).toEqual([]);
    });
  },
);
