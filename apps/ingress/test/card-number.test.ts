import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import { hasCardNumber, withoutCardNumbers } from '../src/card-number.js';
import { aRecharge, create, type Ingress, openIngress, storedRows } from './ingress.js';
import { expectProblem } from './problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const CARD = '4111111111111111';

test.each([
  CARD,
  '4111 1111 1111 1111',
  '4111-1111-1111-1111',
  '4111%201111%201111%201111',
  '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
  'card 4111 1111 1111 1111, thanks',
  'PAN4111111111111111x',
  '4111111111111111 12/28',
  '12 4111111111111111',
  '378282246310005',
  '3782 822463 10005',
  '5555555555554444',
  '2223003122003222',
  '4222222222222',
  '6304000000000000000',
  `${'x'.repeat(200)} ${CARD}`,
])('%j may be a card number', (text) => expect(hasCardNumber(text)).toBe(true));

test.each([
  '',
  '4111111111111112',
  '411111111111',
  '41111111111111111111',
  '4111.1111.1111.1111',
  '4111  1111  1111  1111',
  '0000000000000000',
  'PO-2026-000123',
  '2026-11-21T22:00:00.000Z',
  'a4111 1111 1111 1111',
])('%j is none', (text) => expect(hasCardNumber(text)).toBe(false));

test('ids of ours and of others are no card numbers', () => {
  const ids = Array.from({ length: 20_000 }, () => newId());
  expect(ids.filter(hasCardNumber).length).toBeLessThan(20);
});

test.each(['orderReference', 'productType', 'planId', 'metadata.note'])(
  '%s with a card number is refused, and the number is nowhere',
  async (path) => {
    const [field, inside] = path.split('.');
    const before = await storedRows(ingress);
    const answer = await create(
      ingress,
      key,
      aRecharge({ [field!]: inside ? { [inside]: `for ${CARD}` } : `for ${CARD}` }),
    );
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors).toEqual([{ path, message: expect.stringMatching(/payment card/) }]);
    expect(answer.text + JSON.stringify(ingress.logged)).not.toContain(CARD);
    expect(await storedRows(ingress)).toBe(before);
  },
);

test('a card number as a name does not come back either', async () => {
  for (const body of [aRecharge({ [CARD]: 1 }), aRecharge({ metadata: { [CARD]: 'x' } })]) {
    const answer = await create(ingress, key, body);
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.text).not.toContain(CARD);
  }
  const twice = `{"${CARD}":1,"${CARD}":2}`;
  expect((await create(ingress, key, twice)).text).not.toContain(CARD);
  expect(withoutCardNumbers(`a ${CARD} b 17`)).toBe('a [card number] b 17');
});

test('an account may have a number that looks like one', async () => {
  expect((await create(ingress, key, aRecharge({ accountId: CARD }))).status).toBe(202);
});
