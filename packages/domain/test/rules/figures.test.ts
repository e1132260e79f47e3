import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type BalanceFigure, termsToStore } from '../../src/core/rules/rule-terms.js';
import type { NewRule } from '../../src/index.js';
import { type Books, openBooks } from '../support/books.js';
import { KEY_ROW, newRule, terms, toCloud, VIEWER } from '../support/rules.js';

const HOUR_MS = 3_600_000;
let books: Books;
let nowMs = Date.parse('2026-11-02T00:00:00Z');
let accounts = 0;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());

const openRules = () =>
  books.open({ ruleClock: () => new Date(nowMs), ruleLookMs: HOUR_MS, ruleBackoffMs: HOUR_MS }).rules;

/** A new cloud account, and what asks for a rule on a figure of its balance. */
async function watched() {
  const accountId = `acct-figure-${++accounts}`;
  await books.domain.payees.set(
    {
      ...{ accountId, provider: 'alibaba_cloud', providerAccount: 'main', from: null, currency: 'USD' },
      to: `fa-${accountId}`,
    },
    'books',
  );
  return (balance: BalanceFigure): NewRule =>
    newRule({ accountId, watch: 'cloud', recharge: toCloud, terms: terms({ balance }) });
}

async function made(rules: ReturnType<typeof openRules>, rule: NewRule): Promise<string> {
  const created = await rules.create(rule);
  if (!created.ok) throw new Error(created.problem);
  return created.rule.id;
}

type Rules = ReturnType<typeof openRules>;
async function reads(rules: Rules, ruleId: string, minor: bigint, cashMinor: bigint | null): Promise<void> {
  nowMs += HOUR_MS;
  const account = await rules.watched.claim(ruleId);
  await rules.watched.record(account!, { minor, cashMinor }, 0);
}

test('of one account, a rule on cash acts on its cash and a rule on what is available on that', async () => {
  const rules = openRules();
  const of = await watched();
  const [cash, available] = [await made(rules, of('cash')), await made(rules, of('available'))];
  await reads(rules, cash, 9_000n, 400n);
  const numbers = { available: '9000', cash: '400' };
  expect((await rules.look(available, () => null))!.decision).toMatchObject({
    ...{ decided: 'nothing', because: 'ENOUGH', balanceMinor: 9_000n },
    numbers: { ...numbers, figure: 'available' },
  });
  expect((await rules.look(cash, () => null))!.decision).toMatchObject({
    ...{ decided: 'recharge', because: 'BELOW_THRESHOLD', amountMinor: 4_600n, balanceMinor: 400n },
    numbers: { ...numbers, figure: 'cash' },
  });
  for (const [id, balanceMinor] of [
    [cash, 400n],
    [available, 9_000n],
  ] as const)
    expect((await rules.one(id, VIEWER))?.forecast).toMatchObject({ balanceMinor });
});

test('a rule on cash that is not told decides nothing, and says so', async () => {
  const rules = openRules();
  const id = await made(rules, (await watched())('cash'));
  await reads(rules, id, 10n, null);
  expect((await rules.look(id, () => null))!.decision).toMatchObject({
    ...{ decided: 'held_back', because: 'NO_CASH_FIGURE', balanceMinor: null },
    numbers: { available: '10', cash: null },
  });
});

test('history, use per day, trial and back-test are of the figure that is compared', async () => {
  const rules = openRules();
  const of = await watched();
  const id = await made(rules, of('cash'));
  // The credit that is granted hides the fall of the cash.
  for (let hour = 0; hour <= 48; hour++) await reads(rules, id, 9_000n, 6_000n - 125n * BigInt(hour));
  const tried = async (balance: BalanceFigure) => {
    const [preview, tested] = [await rules.preview(of(balance)), await rules.backTest(of(balance))];
    return { balance: preview.balanceMinor, because: preview.next?.because, made: tested.recharges.length };
  };
  expect(await tried('cash')).toEqual({ balance: 0n, because: 'BELOW_THRESHOLD', made: 1 });
  expect(await tried('available')).toEqual({ balance: 9_000n, because: 'ENOUGH', made: 0 });
  await rules.look(id, () => null);
  expect((await rules.one(id, VIEWER))?.forecast.burnPerDayMinor).toBe(3_000n);
});

test('terms of rules that compare what is available are stored as before there was a choice', () => {
  expect(termsToStore(terms())).not.toHaveProperty('balance');
  expect(termsToStore(terms({ balance: 'cash' }))).toHaveProperty('balance', 'cash');
});
