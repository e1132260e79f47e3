import { describe, expect, test } from '@jest/globals';
import {
  type Funding,
  holdOf,
  isHeld,
  journalOnEntering,
  type Kind,
  kinds,
  suspenseJournal,
} from '../../src/core/money/postings.js';
import { type State, states } from '../../src/core/recharge.js';

const of = (kind: Kind, funding: Funding) => ({
  ...{ kind, funding, accountId: 'a', provider: 'p', providerAccount: 'main' },
  money: { amountMinor: 5n, currency: 'USD' },
});

// The whole table: kind, funding, state, then slot, debited and credited account. All other states post nothing.
const rows: readonly [Kind, Funding, State, string, string, string][] = [
  ['collect', 'wallet', 'SUCCEEDED', 'collect', 'provider:p:clearing', 'wallet:a:available'],
  ['deliver', 'wallet', 'SUCCEEDED', 'settle', 'wallet:a:frozen', 'provider:p:clearing'],
  ['deliver', 'wallet', 'FAILED', 'reverse', 'wallet:a:frozen', 'wallet:a:available'],
  ['deliver', 'wallet', 'CANCELED', 'reverse', 'wallet:a:frozen', 'wallet:a:available'],
  ['deliver', 'house', 'SUCCEEDED', 'settle', 'house:main', 'provider:p:clearing'],
  ['refund', 'wallet', 'SUCCEEDED', 'settle', 'wallet:a:frozen', 'provider:p:clearing'],
  ['refund', 'wallet', 'FAILED', 'reverse', 'wallet:a:frozen', 'wallet:a:available'],
  ['refund', 'wallet', 'CANCELED', 'reverse', 'wallet:a:frozen', 'wallet:a:available'],
  ['recall', 'wallet', 'SUCCEEDED', 'collect', 'provider:p:clearing', 'wallet:a:available'],
  ['recall', 'house', 'SUCCEEDED', 'collect', 'provider:p:clearing', 'house:main'],
  // Money from suspense that is paid back. It is not held, since it is in no wallet.
  ['refund', 'suspense', 'SUCCEEDED', 'settle', 'suspense:p', 'provider:p:clearing'],
  ['recall', 'suspense', 'SUCCEEDED', 'collect', 'provider:p:clearing', 'suspense:p'],
];

const sorts: readonly [Kind, Funding][] = [
  ...kinds.map((kind): [Kind, Funding] => [kind, 'wallet']),
  ['deliver', 'house'],
  ['recall', 'house'],
  ['refund', 'suspense'],
  ['recall', 'suspense'],
];

describe.each(sorts)('a %s by %s', (kind, funding) => {
  test.each(states)('posts on entering %s what the table says', (state) => {
    const journal = journalOnEntering(state, of(kind, funding));
    const row = rows.find((one) => one[0] === kind && one[1] === funding && one[2] === state);
    if (!row) return expect(journal).toBeNull();
    const [, , , slot, debit, credit] = row;
    const money = { amountMinor: 5n, currency: 'USD' };
    expect(journal).toEqual({ slot, postings: [{ debit, credit, money }] });
  });
});

test('only what goes out of a wallet is held', () => {
  const held = sorts.filter(([kind, funding]) => isHeld({ kind, funding }));
  expect(held).toEqual([
    ['deliver', 'wallet'],
    ['refund', 'wallet'],
  ]);
  const money = { amountMinor: 5n, currency: 'USD' };
  expect(holdOf({ accountId: 'a', money })).toEqual({
    slot: 'hold',
    postings: [{ debit: 'wallet:a:available', credit: 'wallet:a:frozen', money }],
  });
});

test.each([
  ['collect', 'provider:p:clearing', 'suspense:p'],
  ['recall', 'provider:p:clearing', 'suspense:p'],
  ['deliver', 'suspense:p', 'provider:p:clearing'],
  ['refund', 'suspense:p', 'provider:p:clearing'],
] as const)('late money of a %s goes from %s to %s, in the reported amount', (kind, debit, credit) => {
  const money = { amountMinor: 7n, currency: 'EUR' };
  expect(suspenseJournal(of(kind, 'wallet'), money, 'suspense')).toEqual({
    slot: 'suspense',
    postings: [{ debit, credit, money }],
  });
});
