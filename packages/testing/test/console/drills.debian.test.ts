import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { checkBooks } from '../../src/books/books.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';
import { openBrowser, Visitor } from './visitor.js';

// This test needs Debian's chromium. Somebody is called in the night and knows nothing but the address of the console.
// From the overview it takes three clicks at most to see what is stuck, why, how much money it is and what it waits
// for, and three more to end it. Nothing is typed but a reason and a code.

jest.setTimeout(TEST_LIMIT_MS);

const TO_THE_ANSWER = 3;
const TO_THE_END = 6;

let stage: WholeStage;
let browser: Browser;
beforeAll(async () => {
  const workers = ['submission-worker', 'webhook-worker', 'reconciliation-worker'] as const;
  stage = await WholeStage.open({
    processes: ['sandbox', 'ingress', ...workers, 'dashboard'],
    redisUrl: null,
  });
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await stage?.close();
});

const recharge = (scenario: string, amount: number, more = {}): Promise<string> =>
  stage.recharge(`acct-${scenario}`, 'sandbox', amount, {
    ...{ currency: 'USD', metadata: { scenario, ...more } },
  });

/** Waits until the client of a recharge reads that it waits for this. */
const waitsFor = (id: string, reason: string): Promise<unknown> =>
  stage.until(async () => {
    const { waiting } = (await stage.read(id)) as { waiting: { reason: string } | null };
    return waiting?.reason === reason;
  }, `${id} waits for ${reason}`);

/** An accepted order that is not looked at again for an hour, as it happens after many questions. */
async function quiet(scenario: string, amount: number): Promise<string> {
  return stage.until(async () => {
    const id = await recharge(scenario, amount);
    const isQuiet = async () => {
      const rows = await stage.rows(
        `update recharge_transaction set due_at = now() + interval '1 h'
          where id = '${id}' and confirmation = 'acknowledged' and state = 'PENDING_CONFIRMATION' returning id`,
      );
      return rows.length > 0 || (await stage.read(id)).state === 'SUCCEEDED';
    };
    await stage.until(isQuiet, `${id} is accepted`);
    return (await stage.read(id)).state === 'PENDING_CONFIRMATION' && id;
  }, `an order of ${scenario} that nobody asks about`);
}

/**
 * Puts the next question to the provider off by an hour, and waits for the end of one that is under way. An answer makes
 * the recharge newer than the page that a person looks at.
 */
const restsForAnHour = (id: string): Promise<unknown> =>
  stage.until(async () => {
    const moved = await stage.rows(
      `update recharge_transaction set due_at = now() + interval '1 h'
        where id = '${id}' and due_at < now() + interval '50 min' returning id`,
    );
    const underWay = await stage.rows(
      `select from provider_call where transaction_id = '${id}' and ended_at is null`,
    );
    return moved.length + underWay.length === 0;
  }, `${id} rests`);

const visitor = (name: string): Promise<Visitor> => Visitor.signedIn(browser, stage.fleet, { name });

test('an order that never settles is found by what it waits for, and its provider is asked', async () => {
  const id = await quiet('never_settles', 10_001);
  const ned = await visitor('ned');
  await ned.opens('/');
  await ned.follow('the provider to settle');
  await ned.followRecharge(id);
  const text = await ned.text();
  expect(text).toMatch(/PENDING_CONFIRMATION 100\.01 USD/);
  expect(text).toMatch(/It waits for the provider to settle since .* has the order and has not settled it/);
  expect(ned.clicks).toBeLessThanOrEqual(TO_THE_ANSWER);
  await ned.follow('Ask the provider now');
  await ned.confirm();
  expect(await ned.text()).toMatch(/recheck.*called at night/);
  expect(ned.clicks).toBeLessThanOrEqual(TO_THE_END);
  const asked = async () =>
    (
      await stage.rows(
        `select from report.provider_calls where transaction_id = '${id}' and operation = 'query'`,
      )
    ).length > 0;
  await stage.until(asked, 'a question to the provider');
  expect(await stage.read(id)).toMatchObject({ state: 'PENDING_CONFIRMATION' });
});

test('a recharge whose webhook was lost succeeds as soon as its provider is asked', async () => {
  const id = await quiet('ok_no_webhook', 10_002);
  const lea = await visitor('lea');
  await lea.opens('/');
  await lea.follow('the provider to settle');
  await lea.followRecharge(id);
  expect(await lea.text()).toMatch(/100\.02 USD.*\s*It waits for the provider to settle/);
  expect(lea.clicks).toBeLessThanOrEqual(TO_THE_ANSWER);
  await lea.follow('Ask the provider now');
  await lea.confirm();
  expect(lea.clicks).toBeLessThanOrEqual(TO_THE_END);
  await stage.reads(id, { state: 'SUCCEEDED' });
});

test('a wrong amount is a case, whose money is paid back', async () => {
  const id = await recharge('wrong_amount', 10_003, { refundScenario: 'ok' });
  const { caseId } = await stage.caseOf(id);
  await restsForAnHour(id);
  const max = await visitor('max');
  await max.opens('/');
  await max.follow('wrong amount');
  await max.click(max.page.locator(`main a[href="/cases/${caseId}"]`).first());
  const text = await max.text();
  expect(text).toMatch(/reports another amount or currency than the one asked for/);
  expect(text).toMatch(/100\.04 USD/);
  expect(max.clicks).toBeLessThanOrEqual(TO_THE_ANSWER);
  await max.follow('Pay the money back');
  await max.confirm();
  expect(max.clicks).toBeLessThanOrEqual(TO_THE_END);
  expect(await max.text()).toMatch(/called at night/);
  await stage.reads(id, { state: 'FAILED' });
  expect(await closedBy(caseId)).toBe('return');
});

test('a success after a failure is a case, whose money is credited', async () => {
  const id = await recharge('success_after_failure', 10_005);
  const { caseId } = await stage.caseOf(id);
  const ida = await visitor('ida');
  await ida.opens('/');
  await ida.follow('late money');
  await ida.click(ida.page.locator(`main a[href="/cases/${caseId}"]`).first());
  const text = await ida.text();
  expect(text).toMatch(/reports money for a recharge that had ended/);
  expect(text).toMatch(/100\.05 USD/);
  expect(ida.clicks).toBeLessThanOrEqual(TO_THE_ANSWER);
  await ida.follow('Credit the money');
  await ida.confirm();
  expect(ida.clicks).toBeLessThanOrEqual(TO_THE_END);
  expect(await ida.text()).toMatch(/SUCCEEDED 100\.05 USD/);
  expect(await stage.read(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await closedBy(caseId)).toBe('adopt');
});

test('a short pool is a number whose list says who waits, and the recharge goes on with the money', async () => {
  const fill = (cash: number) =>
    stage.control('alibaba/fund-accounts', { id: 'fa-main', currency: 'CNY', cash });
  await fill(5);
  const { accountId } = await stage.newPayee();
  const id = await stage.recharge(accountId, 'fund_account', 10_006);
  await waitsFor(id, 'SOURCE_FUNDS');
  const pia = await visitor('pia');
  await pia.opens('/');
  expect(await pia.text()).toMatch(/alibaba_cloud · main\s*0\.05 CNY/);
  await pia.click(pia.page.locator('main a[href="/recharges?waiting=SOURCE_FUNDS&currency=CNY"]').last());
  await pia.followRecharge(id);
  expect(await pia.text()).toMatch(/100\.06 CNY.*\s*It waits for money on the source account/);
  expect(pia.clicks).toBeLessThanOrEqual(TO_THE_ANSWER);
  await fill(100_000_000);
  await stage.reads(id, { state: 'SUCCEEDED' });
});

test('a provider that is down is a breaker, and the recharge says when it is tried again', async () => {
  await stage.control('outage', { mode: 'down' });
  const ids: string[] = [];
  const isDown = async () => {
    ids.push(await recharge('ok', 10_007));
    const { waiting } = (await stage.read(ids[0]!)) as { waiting: { reason: string } | null };
    return waiting?.reason === 'PROVIDER_DOWN';
  };
  await stage.until(isDown, 'a recharge that waits for the provider');
  const [id] = ids as [string];
  const dan = await visitor('dan');
  await dan.opens('/');
  await dan.follow('the provider to come back');
  await dan.followRecharge(id);
  expect(await dan.text()).toMatch(
    /100\.07 USD.*\s*It waits for the provider to come back since .*The provider does not answer\. It is tried again at 20/,
  );
  expect(dan.clicks).toBeLessThanOrEqual(TO_THE_ANSWER);
  await stage.control('outage', { mode: 'none' });
  for (const one of ids) await stage.reads(one, { state: 'SUCCEEDED' });
});

test('the books are right', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});

const closedBy = async (caseId: string): Promise<unknown> =>
  ((await stage.get(`/v1/cases/${caseId}`)) as { resolution: { verb: string } | null }).resolution?.verb;
