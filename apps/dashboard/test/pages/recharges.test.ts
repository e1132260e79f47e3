import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fieldIn, openConsoleOnBooks, orderOf, type ServedConsole, troubles } from './support/console.js';

let served: ServedConsole;
let settled: string;
let silent: string;
beforeAll(async () => {
  served = await openConsoleOnBooks();
  settled = await served.recharge(
    { accountId: 'acct-shown', amountMinor: 4_999n, orderReference: 'PO-7', idempotencyKey: 'key-shown' },
    ['submit', { source: 'submission' }],
    ['settled', { providerOrderId: 'sbx-shown' }],
  );
  silent = await served.recharge({ accountId: 'acct-silent', amountMinor: 123n }, ...troubles.silent);
});
afterAll(() => served.close());

test.each([
  ['its id', () => settled],
  ['its id without dashes', () => settled.replaceAll('-', '')],
  ["the provider's order", () => orderOf(settled, 'sbx-shown')],
  ['the idempotency key', () => 'key-shown'],
  ['the reference', () => 'PO-7'],
])('the search box finds a recharge by %s', async (_, text) => {
  const answer = await served.get(`/recharges?q=${encodeURIComponent(text())}`);
  expect([answer.status, answer.location]).toEqual([303, `/recharges/${settled}`]);
});

test('the search box finds an account, an amount, and says when there is nothing', async () => {
  expect((await served.get('/recharges?q=acct-shown')).location).toBe('/accounts/acct-shown');
  expect((await served.get('/recharges?q=49.99+USD')).location).toBe('/recharges?amount=49.99%20USD');
  const list = await served.get('/recharges?amount=49.99+USD');
  expect([list.text.includes(settled), list.text.includes(silent)]).toEqual([true, false]);
  const nothing = await served.get('/recharges?q=no-such-thing');
  expect([nothing.status, nothing.text.includes('<q>no-such-thing</q>')]).toEqual([404, true]);
});

test.each([
  ['status=SUCCEEDED', true, false],
  ['status=OPEN', false, true],
  ['waiting=PROVIDER', false, true],
  ['waiting=any&older=0', false, true],
  ['waiting=any&older=3600', false, false],
  ['account=acct-shown', true, false],
  ['currency=EUR', false, false],
  ['provider=sandbox&kind=collect', true, true],
  ['from=2099-01-01', false, false],
])('the list with %s', async (query, showsSettled, showsSilent) => {
  const { text } = await served.get(`/recharges?${query}`);
  expect([text.includes(settled), text.includes(silent)]).toEqual([showsSettled, showsSilent]);
});

test('the list is saved as CSV with the same filters', async () => {
  const { text, headers } = await served.get('/recharges?status=SUCCEEDED&format=csv');
  expect(headers.get('content-type')).toMatch(/text\/csv/);
  expect(headers.get('content-disposition')).toMatch(/recharges\.csv/);
  expect(text.split('\n')[0]).toMatch(/^transactionId,state,waiting/);
  expect([text.includes(settled), text.includes(silent)]).toEqual([true, false]);
});

test('a page is followed by the next one until all were shown once', async () => {
  for (let n = 0; n < 60; n++) await served.recharge({ accountId: 'acct-many' });
  const seen: string[] = [];
  let address: string | undefined = '/recharges?account=acct-many';
  while (address !== undefined) {
    const { text } = await served.get(address);
    seen.push(...[...text.matchAll(/href="\/recharges\/([0-9a-f-]{36})"/g)].map(([, id]) => id!));
    address = /rel="next" href="([^"]+)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  }
  expect([seen.length, new Set(seen).size]).toEqual([60, 60]);
});

test('one recharge shows its state, what it waits for, its timeline and its postings', async () => {
  const { text } = await served.get(`/recharges/${silent}`);
  expect(text).toMatch(/PENDING_CONFIRMATION/);
  expect(text).toMatch(/The provider has the order and has not settled it\./);
  const done = await served.get(`/recharges/${settled}`);
  expect(done.text).toMatch(/Posting: collect/);
  expect(done.text).toMatch(/49\.99 USD/);
});

test('asking now makes the recharge due, once in five seconds', async () => {
  const path = `/recharges/${silent}/recheck`;
  const stamp = fieldIn(await served.get(path), 'stamp');
  const first = await served.send(path, { stamp, reason: 'the client waits' });
  const second = await served.send(path, { stamp, reason: 'the client waits' });
  expect([first.status, second.status]).toEqual([303, 409]);
  expect(second.text).toMatch(/the provider was asked a moment ago/);
  expect(served.hints).toContainEqual(['reconciliation-sandbox', silent]);
});

test('a recharge that was not sent is canceled, and a second form is told that it is too late', async () => {
  const id = await served.recharge({ accountId: 'acct-cancel' });
  const path = `/recharges/${id}/cancel`;
  const fields = { stamp: fieldIn(await served.get(path), 'stamp'), reason: 'ordered twice' };
  expect((await served.send(path, fields)).location).toBe(`/recharges/${id}`);
  expect(await served.domain.reads.recharge(id)).toMatchObject({ state: 'CANCELED' });
  const again = await served.send(path, fields);
  expect([again.status, /has changed since you looked/.test(again.text)]).toEqual([409, true]);
  expect((await served.get(`/recharges/${id}`)).text).toMatch(/canceled by mia: ordered twice/);
});

test('a recharge that is final offers no verb', async () => {
  const { text } = await served.get(`/recharges/${settled}`);
  expect(text).not.toMatch(new RegExp(`/recharges/${settled}/(cancel|recheck)`));
  expect((await served.get(`/recharges/${settled}/cancel`)).text).toMatch(/cannot be done any more/);
});
