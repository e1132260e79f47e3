import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { checkBooks } from '../../src/books/books.js';
import { withBooks } from '../../src/fleet/producer.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';
import { openBrowser, Visitor } from './visitor.js';

// This test needs Debian's chromium. It checks what a browser adds when people decide at once: two tabs, a double
// click, and the way back. A decision that is sent twice has one effect, and the second answer says why.

jest.setTimeout(TEST_LIMIT_MS);

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

type Late = Readonly<{ id: string; caseId: string; path: string }>;

/** An open case about money that came late, with the address of the page that credits it. */
async function lateMoney(accountId: string): Promise<Late> {
  const more = { currency: 'USD', metadata: { scenario: 'success_after_failure' } };
  const id = await stage.recharge(accountId, 'sandbox', 4_999, more);
  const { caseId } = await stage.caseOf(id);
  return { id, caseId, path: `/cases/${caseId}/adopt` };
}

const visitor = (name: string, more = {}): Promise<Visitor> =>
  Visitor.signedIn(browser, stage.fleet, { name, ...more });

const textOf = async (page: Page): Promise<string> =>
  ((await page.locator('main').textContent()) ?? '').replace(/\s+/g, ' ');

/** How often the money of a recharge was credited, and who decided its case. */
async function effects({ id, caseId }: Late) {
  const postings = await stage.rows(
    `select from report.postings where transaction_id = '${id}' and credit_account like 'wallet:%'`,
  );
  const acts = await stage.rows<{ actor: string }>(
    `select actor from operator_action where case_id = '${caseId}' and verb in ('adopt', 'return')`,
  );
  return { credits: postings.length, deciders: acts.map(({ actor }) => actor) };
}

test('two people who decide a case at once: one is carried out, and the other reads who decided', async () => {
  const late = await lateMoney('acct-two-people');
  const [ann, bob] = [await visitor('ann'), await visitor('bob')];
  for (const one of [ann, bob]) {
    await one.opens(late.path);
    await one.typeInto(one.page, `seen by ${one.name}`);
  }
  await Promise.all([ann, bob].map((one) => one.click(one.button())));
  const { credits, deciders } = await effects(late);
  expect([credits, deciders.length]).toEqual([1, 1]);
  const [first, second] = deciders[0] === 'ann' ? [ann, bob] : [bob, ann];
  expect(await first.text()).toMatch(/SUCCEEDED 49\.99 USD/);
  expect(await second.text()).toMatch(
    new RegExp(`Nothing was done: .*Credit the money by ${first.name} .*: seen by ${first.name}`),
  );
});

test('a tab that has become old decides nothing, and neither does the way back in the other one', async () => {
  const late = await lateMoney('acct-two-tabs');
  const cleo = await visitor('cleo');
  await cleo.opens(late.path);
  const old = await cleo.secondTab(`/cases/${late.caseId}/return`);
  await cleo.confirm();
  expect(await cleo.text()).toMatch(/SUCCEEDED 49\.99 USD/);
  await cleo.typeInto(old);
  await Promise.all([old.waitForEvent('load'), cleo.button(old).click()]);
  expect(await textOf(old)).toMatch(/Nothing was done: .*Credit the money by cleo/);
  await cleo.page.goBack();
  await cleo.page.reload();
  expect(await cleo.text()).toMatch(
    /Nothing was done: the case is decided already\.\s*Credit the money by cleo/,
  );
  expect(await effects(late)).toEqual({ credits: 1, deciders: ['cleo'] });
});

test.each([true, false])('a double click decides once, with the script: %s', async (javaScriptEnabled) => {
  const late = await lateMoney(`acct-double-${javaScriptEnabled}`);
  const dora = await visitor(`dora-${javaScriptEnabled}`, { javaScriptEnabled });
  await dora.opens(late.path);
  await dora.typeInto();
  const posts: string[] = [];
  dora.page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
  await dora.button().dblclick({ noWaitAfter: true });
  const isDecided = async () => (await effects(late)).deciders.length > 0;
  await stage.until(isDecided, 'a decision');
  // A second tab reads the page, because the first tab may still be loading the answer to the second click.
  const after = await dora.secondTab(late.path);
  expect(await textOf(after)).toMatch(/the case is decided already\.\s*Credit the money by dora/);
  expect(await effects(late)).toEqual({ credits: 1, deciders: [dora.name] });
  if (javaScriptEnabled) expect(posts).toHaveLength(1);
});

test('a role that is taken away while the form is open decides nothing, and the page says so', async () => {
  const late = await lateMoney('acct-role');
  const eli = await visitor('eli');
  await eli.opens(late.path);
  await withBooks(stage.fleet, ({ operators }) =>
    operators.setRole('eli', 'viewer', { actor: 'test', role: 'command_line' }),
  );
  await eli.confirm();
  expect(await eli.text()).toMatch(/Not allowed your role is viewer; this needs operator/);
  expect(await effects(late)).toEqual({ credits: 0, deciders: [] });
  await eli.opens(`/cases/${late.caseId}`);
  expect(await eli.text()).toMatch(/An operator can decide about it\./);
});

test('a wrong code decides nothing, and the form is one click away', async () => {
  const late = await lateMoney('acct-code');
  const fay = await visitor('fay');
  await fay.opens(late.path);
  await fay.page.locator('#reason').fill('called at night');
  await fay.page.locator('#code').fill('000000');
  await fay.click(fay.button());
  expect(await fay.text()).toMatch(/Not allowed the code is wrong or was used before/);
  expect(await effects(late)).toEqual({ credits: 0, deciders: [] });
  await fay.follow('Back to the form');
  await fay.confirm();
  expect(await fay.text()).toMatch(/SUCCEEDED 49\.99 USD/);
  expect(await effects(late)).toEqual({ credits: 1, deciders: ['fay'] });
});

test('the books are right', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
