import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { numbersOf } from '../support/numbers.js';
import { seed, TEST_LIMIT_MS } from '../support/setting.js';
import { type Payee, WholeStage } from '../support/whole.js';

// Three rails at once take minutes: every lost answer waits for its time limit, and every delivery for its list.
jest.setTimeout(4 * TEST_LIMIT_MS);

/** A way of moving money. `faults` are those of its simulator, under names that all rails have in common. */
type Rail = Readonly<{
  name: string;
  paymentMethod: string;
  /** Orders a fault of the next order at the simulator. */
  order: (stage: WholeStage, fault: Fault, to: string) => Promise<void>;
  /** Whether a person pays in the middle, and the provider then sends a webhook. */
  isCollected: boolean;
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
const ofCloud: Rail['order'] = (stage, fault, to) =>
  stage.control('alibaba/behave', { scenario: named(fault, 'transfer'), to });
const collecting = (name: 'stripe' | 'alipay', paymentMethod: string): Rail => ({
  ...{ name, paymentMethod, isCollected: true },
  order: (stage, fault) => stage.control(`${name}/behave`, { scenario: named(fault, 'create') }),
});
const delivering = (name: string): Rail => ({
  ...{ name, paymentMethod: 'fund_account', isCollected: false, order: ofCloud },
});

const RUNS = 100;
/** Recharges of one account go one after the other, those of different accounts at the same time. */
const ACCOUNTS = 10;

/** One recharge: the fault of its provider, and the crash point that is armed when it is made. */
type Run = Readonly<{ fault: Fault | null; point: string | null; amount: number }>;

/** Every third run has a fault: with more, the breakers open and all wait. Every twelfth has a crash point. */
function planOf({ isCollected }: Rail, next: (below: number) => number): Run[] {
  const points = isCollected ? [...ofWorkers, ...ofWebhooks] : ofWorkers;
  const inTurn = <T>(all: readonly T[], every: number): (T | null)[] =>
    Array.from({ length: RUNS }, (_, n) => (n % every === 0 ? all[(n / every) % all.length]! : null));
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
  const accounts = await Promise.all(Array.from({ length: ACCOUNTS }, () => stage.newPayee()));
  await Promise.all(
    accounts.map(async (account, own) => {
      for (const run of runs.filter((_run, n) => n % ACCOUNTS === own))
        await carryOut(stage, rail, account, run);
    }),
  );
}

const fleets: readonly (readonly [rails: readonly Rail[], env: Readonly<Record<string, string>>])[] = [
  [[delivering('fund_account'), collecting('stripe', 'credit_card'), collecting('alipay', 'alipay')], {}],
  [[delivering('reseller_quota')], { ALIBABA_CLOUD_RAIL: 'reseller_quota' }],
];

describe.each(fleets.map(([rails, env]) => [rails.map(({ name }) => name).join(', '), rails, env] as const))(
  '%s',
  (_names, rails, env) => {
    let stage: WholeStage;

    beforeAll(async () => {
      stage = await WholeStage.open({ env });
    });
    afterAll(() => stage?.close());

    test(`seed ${seed()}: ${RUNS} recharges per rail, with faults of providers and deaths of workers: one order each`, async () => {
      process.stderr.write(`seed ${seed()}\n`);
      await Promise.all(rails.map((rail, nth) => carryOutAll(stage, rail, nth)));
    });

    test('the invariants hold', async () => {
      expect(await checkBooks(stage.fleet)).toEqual([]);
    });
  },
);
