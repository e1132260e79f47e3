import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import {
  CODE,
  fieldIn,
  type Got,
  linksIn,
  openConsoleOnBooks,
  type Said,
  type ServedConsole,
  troubles,
} from './support/console.js';

// Somebody is called in the night and knows nothing but the address of the overview. Each trouble is found by three
// clicks at most, and ended by three more at most. Nothing is typed but a reason and a code.

let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
});
afterAll(() => served.close());
afterEach(() => execute(served.databaseUrl, 'delete from provider_breaker'));

/** A person at the overview who follows links. */
async function reader() {
  let page: Got = await served.get('/');
  let clicks = 0;
  return {
    page: () => page,
    clicks: () => clicks,
    /** Follows the first link that fits. */
    async click(wanted: RegExp): Promise<void> {
      const href = linksIn(page).find((link) => wanted.test(link));
      if (href === undefined) throw new Error(`no link fits ${wanted}: ${linksIn(page).join(' ')}`);
      clicks++;
      page = await served.get(href);
    },
    /** Sends the form of the page with a reason and a code, and follows where it leads. */
    async confirm(): Promise<void> {
      const [, action] = /<form class="verb" method="post" action="([^"]+)"/.exec(page.text) ?? [];
      if (action === undefined) throw new Error('the page has no form');
      clicks++;
      const answer = await served.send(action, {
        stamp: fieldIn(page, 'stamp'),
        reason: 'called at night',
        code: CODE,
      });
      page = answer.location === null ? answer : await served.get(answer.location);
    },
  };
}

const inTrouble = (news: readonly Said[], accountId: string): Promise<string> =>
  served.recharge({ amountMinor: 100n, accountId }, ...news);

test.each([
  [
    'money that comes after a failure',
    troubles.late,
    /kind=late_money/,
    /another|reports money for a recharge that had ended/,
    /\/adopt$/,
    /SUCCEEDED/,
  ],
  [
    'a wrong amount',
    troubles.wrongAmount,
    /kind=wrong_amount/,
    /reports another amount/,
    /\/return$/,
    /WRONG_AMOUNT/,
  ],
  [
    'an order that is not there',
    troubles.absent,
    /kind=absent_order/,
    /does not have the order/,
    /\/fail$/,
    /FAILED/,
  ],
])('%s is a case that is decided', async (_, news, kind, answer, verb, end) => {
  await inTrouble(news, 'acct-case');
  const person = await reader();
  await person.click(kind);
  await person.click(/^\/cases\/[0-9a-f-]{36}$/);
  expect(person.page().text).toMatch(answer);
  expect(person.clicks()).toBeLessThanOrEqual(3);
  await person.click(verb);
  await person.confirm();
  expect(person.page().text).toMatch(end);
  expect(person.page().text).toMatch(/called at night/);
  expect(person.clicks()).toBeLessThanOrEqual(5);
});

test('an order that never settles, and a webhook that was lost, are found among what is late and asked about', async () => {
  const id = await inTrouble(troubles.silent, 'acct-silent');
  const person = await reader();
  await person.click(/waiting=PROVIDER&currency/);
  await person.click(new RegExp(`^/recharges/${id}$`));
  expect(person.page().text).toMatch(/has the order and has not settled it/);
  await person.click(/\/recheck$/);
  await person.confirm();
  expect(person.page().text).toMatch(/Decision: recheck/);
  expect(person.clicks()).toBeLessThanOrEqual(6);
  expect(served.hints).toContainEqual(['reconciliation-sandbox', id]);
});

test('a provider that is down is an open breaker, and its recharges say when it is tried again', async () => {
  const id = await inTrouble(
    [
      ['submit', { source: 'submission' }],
      ['unknown', { source: 'submission' }],
    ],
    'acct-down',
  );
  await execute(
    served.databaseUrl,
    `insert into provider_breaker (provider, provider_account, operation, open_until, opened_at)
     values ('sandbox', 'main', 'submit', now() + interval '1 min', now())`,
  );
  const person = await reader();
  await person.click(/waiting=PROVIDER_DOWN/);
  await person.click(new RegExp(`^/recharges/${id}$`));
  expect(person.page().text).toMatch(/The provider does not answer\. It is tried again at <time/);
  expect(person.clicks()).toBeLessThanOrEqual(3);
});

test('a short pool is seen beside the recharges that wait for its money', async () => {
  const id = await inTrouble([], 'acct-short');
  await execute(
    served.databaseUrl,
    `insert into pool (provider, provider_account, currency, transferable_minor, read_at)
     values ('alibaba_cloud', 'main', 'USD', 5, now());
     update recharge_transaction set waiting = '{"reason": "SOURCE_FUNDS", "since": "2026-11-28T00:00:00Z"}' where id = '${id}'`,
  );
  const person = await reader();
  expect(person.page().text).toMatch(/alibaba_cloud · main.*0\.05 USD/s);
  await person.click(/waiting=SOURCE_FUNDS/);
  await person.click(new RegExp(`^/recharges/${id}$`));
  expect(person.page().text).toMatch(/does not hold enough at the provider/);
  await person.click(/\/cancel$/);
  await person.confirm();
  expect(person.page().text).toMatch(/CANCELED/);
  expect(person.clicks()).toBeLessThanOrEqual(6);
});
