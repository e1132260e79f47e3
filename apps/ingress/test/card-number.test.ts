import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import fc from 'fast-check';
import { hasCardNumber, withoutCardNumbers } from '../src/card-number.js';
import { redacted } from '../src/redaction.js';
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

/** The rule again, without haste: every row of neighbouring groups, and the check digit of each. */
function hasOneByTheRule(text: string): boolean {
  return [...text.matchAll(/\d+(?:(?: |-|%20)\d+)*/g)].some(({ 0: run, index }) => {
    const groups = run.split(/ |-|%20/);
    const isInWord = [text[index - 1], text[index + run.length]].some((char) => /\p{L}/u.test(char ?? ''));
    return groups.some((_, first) =>
      groups.slice(first).some((__, more) => {
        const digits = groups.slice(first, first + more + 1).join('');
        return (more === 0 || !isInWord) && /^[1-9]\d{12,18}$/.test(digits) && luhn(digits) % 10 === 0;
      }),
    );
  });
}

const luhn = (digits: string): number =>
  [...digits]
    .reverse()
    .reduce((sum, digit, at) => sum + [...`${Number(digit) * (1 + (at % 2))}`].reduce(add, 0), 0);
const add = (sum: number, digit: string): number => sum + Number(digit);

test('what is found is what the rule says, in any text', () => {
  const piece = fc.oneof(
    fc.stringMatching(/^\d{1,20}$/),
    fc.stringMatching(/^\d{1,4}$/),
    fc.constantFrom(' ', '-', '%20', 'x', '.', CARD, '4111 1111', '0'),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      expect([text, hasCardNumber(text)]).toEqual([text, hasOneByTheRule(text)]);
    }),
    { numRuns: 10_000 },
  );
});

/** The least of five: what the machine does besides is not the code's. */
const leastMs = (run: () => void): number =>
  Math.min(
    ...Array.from({ length: 5 }, () => {
      const startedAt = performance.now();
      run();
      return performance.now() - startedAt;
    }),
  );

test.each(['1-', '1 ', '4111 ', '1%20', '9x', '411111111111x', '1'])(
  'a text of nothing but %j costs no more than its length',
  (piece) => {
    const text = piece.repeat(16_384 / piece.length);
    expect(leastMs(() => hasCardNumber(text))).toBeLessThan(8);
    expect(leastMs(() => redacted(`/${text}`))).toBeLessThan(2);
  },
);

test('of a long text the first 512 characters come back, and no number that was cut', () => {
  const path = `/${'a/'.repeat(250)}`;
  expect(redacted(path)).toBe(path);
  const cut = redacted(`${path}${CARD}/${'b'.repeat(600)}`);
  expect(cut).toBe(`${path}…`);
  expect(redacted(`/rs_${'x'.repeat(600)}`)).toBe('/[secret]…');
  expect(redacted(`/${CARD}/${'b'.repeat(600)}`)).toMatch(/^\/\[card number\]\/b{400,}…$/);
});
