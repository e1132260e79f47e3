import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { hasCardNumber, withoutCardNumbers } from '@replenish/domain/rules';
import { newId } from '@replenish/runtime';
import fc from 'fast-check';
import { redacted } from '../../src/http/redaction.js';
import { aRecharge, create, type Ingress, openIngress, storedRows } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const CARD = '4111111111111111';

/** Test numbers that issuers and payment services publish. */
const testNumbers = {
  Visa: [CARD, '4242424242424242', '4012888888881881', '4222222222222', '4917610000000000003'],
  Mastercard: [
    '5555555555554444',
    '5105105105105100',
    '2223003122003222',
    '2221000000000009',
    '2720990000000007',
  ],
  'American Express': ['378282246310005', '371449635398431', '341111111111111'],
  Discover: ['6011111111111117', '6011000990139424', '6445644564456445', '6555900000604105'],
  JCB: ['3530111333300000', '3566002020360505'],
  UnionPay: ['6200000000000005', '6205500000000000004', '6212345678901265'],
  'Diners Club': ['30569309025904', '38520000023237', '36227206271667', '3056930009020004'],
  Maestro: [
    '6759649826438453',
    '6304000000000000',
    '6304000000000000000',
    '5018000000000009',
    '6799990100000000019',
  ],
  Mir: ['2200000000000004'],
  RuPay: ['6074820000000009'],
};

/** The usual spellings of one number: without groups, in fours, in pairs, digit by digit, and as embossed. */
function spellings(number: string): string[] {
  const inParts = (size: number, between: string) =>
    number.match(new RegExp(`.{1,${size}}`, 'g'))!.join(between);
  const printed: Record<number, RegExp> = {
    13: /^(.{4})(.{3})(.{3})(.{3})$/,
    14: /^(.{4})(.{6})(.{4})$/,
    15: /^(.{4})(.{6})(.{5})$/,
    19: /^(.{6})(.{13})$/,
  };
  const groups = printed[number.length]?.exec(number)?.slice(1) ?? [number];
  return [
    ...[number, `card ${number}, thanks`, `PAN${number}x`, `${number} 12/28`, `12 ${number}`, `#${number}#`],
    ...[' ', '-', '%20'].flatMap((between) => [
      inParts(4, between),
      inParts(2, between),
      inParts(1, between),
    ]),
    ...[' ', '-'].map((between) => groups.join(between)),
  ];
}

test.each(Object.entries(testNumbers))(
  'numbers of %s are found in every usual spelling',
  (_issuer, numbers) => {
    for (const number of numbers) {
      expect([number, luhn(number) % 10]).toEqual([number, 0]);
      for (const text of spellings(number)) expect([text, hasCardNumber(text)]).toEqual([text, true]);
    }
  },
);

test('a card number behind a long text is found', () => {
  expect(hasCardNumber(`${'x'.repeat(200)} ${CARD}`)).toBe(true);
});

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
  '20261127150300005',
  '1795791780111',
  '1895791780000031676',
  'PO 2026-1127-1503-0002',
  '8613800138002',
  '49151234567 89',
])('%j is not taken for a card number', (text) => expect(hasCardNumber(text)).toBe(false));

test('our ids and those of others are not taken for card numbers', () => {
  const ids = Array.from({ length: 20_000 }, () => newId());
  expect(ids.filter(hasCardNumber).length).toBeLessThan(8);
});

test.each(['orderReference', 'productType', 'planId', 'metadata.note'])(
  '%s with a card number is refused, and the number is neither stored nor logged',
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

test('a card number in a field name is not repeated in the refusal', async () => {
  for (const body of [aRecharge({ [CARD]: 1 }), aRecharge({ metadata: { [CARD]: 'x' } })]) {
    const answer = await create(ingress, key, body);
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.text).not.toContain(CARD);
  }
  const twice = `{"${CARD}":1,"${CARD}":2}`;
  expect((await create(ingress, key, twice)).text).not.toContain(CARD);
  expect(withoutCardNumbers(`a ${CARD} b 17`)).toBe('a [card number] b 17');
});

test('an account id may look like a card number', async () => {
  expect((await create(ingress, key, aRecharge({ accountId: CARD }))).status).toBe(202);
});

const ranges: readonly (readonly [first: string, last: string, ...lengths: number[]])[] = [
  ['4', '4', 13, 16, 19],
  ['51', '55', 16],
  ['2221', '2720', 16],
  ['34', '34', 15],
  ['37', '37', 15],
  ['600', '609', 16, 19],
  ['644', '659', 16, 19],
  ['3528', '3589', 16],
  ['62', '62', 16, 17, 18, 19],
  ['300', '305', 14, 16],
  ['36', '36', 14, 16],
  ['38', '39', 14, 16],
  ...['50', '56', '57', '58', '63', '67'].map((one) => [one, one, 14, 15, 16, 17, 18, 19] as const),
  ['2200', '2204', 16],
];

const isInRange = (digits: string): boolean =>
  ranges.some(([first, last, ...lengths]) => {
    const begin = digits.slice(0, first.length);
    return begin >= first && begin <= last && lengths.includes(digits.length);
  });

const isDate = (month: string, day: string) =>
  Number(month) >= 1 && Number(month) <= 12 && Number(day) >= 1 && Number(day) <= 31;
const isClock = (hour: string, minute: string) => Number(hour) <= 23 && Number(minute) <= 59;
function isMoment(digits: string): boolean {
  const [a, b, c, d, e, f] = digits.match(/../g)!;
  if (!/^(2[2-7]|30)$/.test(a!)) return false;
  return (isDate(b!, c!) && isClock(d!, e!)) || (isDate(b!, a!) && c === '20' && isClock(e!, f!));
}

const isOther = (digits: string): boolean =>
  digits.length === 13 &&
  (/^4[39]/.test(digits) ||
    [...digits].reduce((sum, one, at) => sum + Number(one) * [1, 3][at % 2]!, 0) % 10 === 0);

/** Whether the groups have equal lengths except for a shorter last one, or are those of an embossed number. */
function isGrouped(groups: readonly string[]): boolean {
  const lengths = groups.map(({ length }) => length);
  const [size] = lengths;
  if (lengths.length === 1 || ['4,6,4', '4,6,5', '4,3,3,3', '6,13'].includes(lengths.join())) return true;
  const isEven = lengths.slice(0, -1).every((one) => one === size) && lengths.at(-1)! <= size!;
  return isEven && [1, 2, 4, 8].includes(size!);
}

/** The same rule, written simply: it tries every run of neighbouring groups and checks each check digit. */
function hasOneByTheRule(text: string): boolean {
  return [...text.matchAll(/\d+(?:(?: |-|%20)\d+)*/g)].some(({ 0: run, index }) => {
    const groups = run.split(/ |-|%20/);
    const isInWord = [text[index - 1], text[index + run.length]].some((char) => /\p{L}/u.test(char ?? ''));
    return groups.some((_, first) =>
      groups.slice(first).some((__, more) => {
        const window = groups.slice(first, first + more + 1);
        const digits = window.join('');
        if ((more > 0 && isInWord) || !isInRange(digits) || luhn(digits) % 10 !== 0) return false;
        return isGrouped(window) && !isMoment(digits) && !isOther(digits);
      }),
    );
  });
}

const luhn = (digits: string): number =>
  [...digits]
    .reverse()
    .reduce((sum, digit, at) => sum + [...`${Number(digit) * (1 + (at % 2))}`].reduce(add, 0), 0);
const add = (sum: number, digit: string): number => sum + Number(digit);

test('the search finds the same as the simple rule, in any text', () => {
  const piece = fc.oneof(
    fc.stringMatching(/^\d{1,20}$/),
    fc.stringMatching(/^\d{1,4}$/),
    fc.constantFrom(' ', '-', '%20', 'x', '.', CARD, '4111 1111', '0', ...Object.values(testNumbers).flat()),
    fc.constantFrom(...Object.values(testNumbers).flat()).map((number) => number.slice(0, -1)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      const text = pieces.join('');
      expect([text, hasCardNumber(text)]).toEqual([text, hasOneByTheRule(text)]);
    }),
    { numRuns: 10_000 },
  );
});

/** The shortest of five runs, because other work of the machine only adds time. */
const leastMs = (run: () => void): number =>
  Math.min(
    ...Array.from({ length: 5 }, () => {
      const startedAt = performance.now();
      run();
      return performance.now() - startedAt;
    }),
  );

test.each(['1-', '1 ', '4111 ', '1%20', '9x', '411111111111x', '1'])(
  'the time for a text of repeated %j grows linearly',
  (piece) => {
    const text = piece.repeat(16_384 / piece.length);
    expect(leastMs(() => hasCardNumber(text))).toBeLessThan(8);
    expect(leastMs(() => redacted(`/${text}`))).toBeLessThan(2);
  },
);

test('512 characters of a long text are repeated, without a card number that was cut', () => {
  const path = `/${'a/'.repeat(250)}`;
  expect(redacted(path)).toBe(path);
  const cut = redacted(`${path}${CARD}/${'b'.repeat(600)}`);
  expect(cut).toBe(`${path}…`);
  expect(redacted(`/rs_${'x'.repeat(600)}`)).toBe('/[secret]…');
  expect(redacted(`/${CARD}/${'b'.repeat(600)}`)).toMatch(/^\/\[card number\]\/b{400,}…$/);
});
