import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CaseKind, NewKey, News, Report } from '@replenish/domain';
import { created, type Ingress, openIngress } from '../support/ingress.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

type Step = News | Readonly<Pick<Report, 'news'> & Partial<Report>>;

/** The `message` of the recharge after these steps, from a single read and from the list. */
async function messageAfter(...steps: readonly Step[]): Promise<unknown> {
  const { id } = await created(ingress, key);
  for (const step of steps) {
    const report = typeof step === 'string' ? { news: step } : step;
    await ingress.domain.applyNews({ source: 'submission', reason: 'told', ...report, transactionId: id });
  }
  const { body } = await ingress.call('GET', `/v1/recharges/${id}`, { key });
  const { body: listed } = await ingress.call('GET', '/v1/recharges?limit=1', { key });
  expect(listed.data[0]).toMatchObject({ transactionId: id, message: body.message });
  return body.message;
}

const another = { money: { amountMinor: 5_000n, currency: 'USD' } };

test.each<[words: string, steps: Step[], message: RegExp]>([
  ['a new recharge', [], /^Accepted; it will be sent/],
  ['one under way', ['submit'], /^It is being sent/],
  [
    'one that the provider took',
    ['submit', 'accepted'],
    /^The provider has the order; its outcome is not known/,
  ],
  ['one without an answer', ['submit', 'unknown'], /^It is not known whether the provider has the order/],
  ['one found after no answer', ['submit', 'unknown', 'accepted'], /^The provider has the order/],
  [
    'another amount',
    ['submit', 'accepted', { news: 'settled', ...another }],
    /^The provider reported another amount.*person/,
  ],
  ['a success', ['submit', 'settled'], /^The recharge succeeded\.$/],
  ['a failure', ['submit', 'declined'], /^The recharge failed; the account was not credited\.$/],
  [
    'late money',
    ['submit', 'declined', 'settled'],
    /not credited\. The provider reported money after that\. A person/,
  ],
  ['a cancellation', ['withdraw'], /^The recharge was canceled; the account was not credited\.$/],
  [
    'a success taken back',
    ['submit', 'settled', 'declined'],
    /succeeded\. The provider later reported that it failed/,
  ],
])('the message of %s states what is known', async (_words, steps, message) => {
  expect(await messageAfter(...steps)).toMatch(message);
});

test('a closed case is not in the message', async () => {
  const message = await messageAfter('submit', 'declined', 'settled');
  expect(message).toContain('A person');
  await ingress.sql('update reconciliation_case set closed_at = now(), resolution = $1', ['dismiss']);
  const { body } = await ingress.call('GET', '/v1/recharges?limit=1', { key });
  expect(body.data[0]!.message).toBe('The recharge failed; the account was not credited.');
});

test('an open case of an unknown kind is in the message', async () => {
  const { id } = await created(ingress, key);
  const doubt: CaseKind = 'event_changed';
  await ingress.sql(
    `insert into reconciliation_case (id, subject, transaction_id, kind, detail)
     values (gen_random_uuid(), $2, $1, $3, '{}')`,
    [id, id, doubt],
  );
  const { body } = await ingress.call('GET', `/v1/recharges/${id}`, { key });
  expect(body.message).toMatch(/^The provider reported something that does not fit\. A person/);
});
