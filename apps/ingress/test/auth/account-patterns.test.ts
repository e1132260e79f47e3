import { expect, test } from '@jest/globals';
import { covers } from '@replenish/domain/rules';
import fc from 'fast-check';

test.each([
  ['*', 'acct-1', true],
  ['acct-10*', 'acct-10', true],
  ['acct-10*', 'acct-1', false],
  ['*-eu', 'acct-eu', true],
  ['a*b*c', 'abc', true],
  ['a*ba', 'aba', true],
  ['ab*ba', 'aba', false],
  ['a.c', 'abc', false],
  ['', 'a', false],
])('the pattern %j and the account %j: %p', (pattern, account, expected) =>
  expect(covers(pattern, account)).toBe(expected),
);

test('a star matches any characters, every other character matches itself', () => {
  const asExpression = (pattern: string): RegExp =>
    new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  const made = (alphabet: string) =>
    fc.array(fc.constantFrom(...alphabet), { maxLength: 8 }).map((chars) => chars.join(''));
  fc.assert(
    fc.property(made('ab.*-$'), made('ab.-$'), (pattern, account) => {
      const expected = asExpression(pattern).test(account);
      expect([pattern, account, covers(pattern, account)]).toEqual([pattern, account, expected]);
    }),
    { numRuns: 20_000 },
  );
});

test('a pattern with many stars is matched quickly', () => {
  const startedAt = performance.now();
  expect(covers(`${'*a'.repeat(6)}*b`, 'a'.repeat(64))).toBe(false);
  expect(performance.now() - startedAt).toBeLessThan(50);
});
