import { describe, expect, test } from '@jest/globals';
import { type Decision, decide, type Recharge, type Report } from '../../src/core/decision.js';
import {
  clearing,
  type Funding,
  holdOf,
  house,
  isHeld,
  type Journal,
  type Kind,
  suspense,
  wallet,
} from '../../src/core/money/postings.js';
import { isFinal, type News, type State } from '../../src/core/recharge.js';
import { openCase, permutations, recharge, report } from '../support/recharge.js';

const after = (r: Recharge, decision: Decision): Recharge => ({
  ...r,
  state: decision.to,
  confirmation: decision.confirmation,
  nextStep: decision.nextStep,
  attempt: r.attempt + (decision.claimed ? 1 : 0),
  slots: decision.journal ? [...r.slots, decision.journal.slot] : r.slots,
  openCases:
    decision.openCase && !r.openCases.includes(decision.openCase)
      ? [...r.openCases, decision.openCase]
      : r.openCases,
  cases: casesAfter(r, decision),
});

/** Money that goes to suspense is added to the open case of its kind. */
function casesAfter(r: Recharge, { openCase: kind, suspended }: Decision): Recharge['cases'] {
  if (!kind) return r.cases;
  const known = r.cases.find((one) => one.kind === kind) ?? openCase(kind);
  const held = suspended ? [...known.suspended, suspended] : known.suspended;
  return [...r.cases.filter((one) => one !== known), { ...known, suspended: held }];
}

describe.each([
  { last: 'settled', ends: 'SUCCEEDED' },
  { last: 'declined', ends: 'FAILED' },
] as const)('accepted, unknown and $last', ({ last, ends }) => {
  test.each(permutations<News>(['accepted', 'unknown', last]))(`end ${ends} as %s, %s, %s`, (...order) => {
    for (const source of ['submission', 'webhook', 'poll'] as const) {
      let r = recharge('SUBMITTED');
      for (const heard of order) r = after(r, decide(r, report(heard, { source })));
      expect({ state: r.state, slots: r.slots, cases: r.openCases }).toEqual({
        state: ends,
        slots: ends === 'SUCCEEDED' ? ['collect'] : [],
        cases: [],
      });
    }
  });
});

// All reports that differ in their effect.
const reports: readonly Report[] = [
  report('submit', { source: 'submission' }),
  report('accepted', { source: 'submission', attempt: 1 }),
  report('unknown', { source: 'poll', nextStep: 'submit' }),
  report('unknown', { source: 'submission', attempt: 1 }),
  report('settled'),
  report('settled', { money: { amountMinor: 1n, currency: 'USD' } }),
  report('declined', { source: 'submission', attempt: 1 }),
  report('declined', { source: 'poll' }),
  report('withdraw', { source: 'client' }),
  report('canceled', { source: 'poll' }),
];
const PATH_MAX = 5;
const DEPOSIT = 10_000n;

const account = {
  available: wallet('acct-1', 'available'),
  frozen: wallet('acct-1', 'frozen'),
  clearing: clearing('sandbox'),
  suspense: suspense('sandbox'),
  house: house('main'),
};
type Books = Readonly<Record<string, bigint>>;
type Place = Readonly<{ r: Recharge; books: Books; path: string }>;

function post(books: Books, journal: Journal): Books {
  const next: Record<string, bigint> = { ...books };
  for (const { debit, credit, money } of journal.postings) {
    if (money.amountMinor <= 0n || debit === credit) throw new Error(`${journal.slot} posts nothing`);
    next[debit] = (next[debit] ?? 0n) - money.amountMinor;
    next[credit] = (next[credit] ?? 0n) + money.amountMinor;
  }
  return next;
}

type Sort = Readonly<{ kind: Kind; funding: Funding }>;

function start(sort: Sort): Place {
  const deposited = { [account.available]: DEPOSIT, external: -DEPOSIT };
  const r = recharge('CREATED', sort);
  if (!isHeld(sort)) return { r, books: deposited, path: '' };
  const hold = holdOf({ ...r, money: r });
  return { r: { ...r, slots: [hold.slot] }, books: post(deposited, hold), path: '' };
}

type Balances = Readonly<{ available: bigint; frozen: bigint; house: bigint }>;

/** The balances that follow from the state alone, by any path. */
function balancesIn({ kind, funding, state, amountMinor }: Recharge): Balances {
  const done = state === 'SUCCEEDED' ? amountMinor : 0n;
  const atRest = { available: DEPOSIT, frozen: 0n, house: 0n };
  const isIn = kind === 'collect' || kind === 'recall';
  if (funding === 'house') return { ...atRest, house: isIn ? done : -done };
  if (isIn) return { ...atRest, available: DEPOSIT + done };
  if (isFinal(state)) return { ...atRest, available: DEPOSIT - done };
  return { ...atRest, available: DEPOSIT - amountMinor, frozen: amountMinor };
}

/** The faults of the books at a place of the search, which was reached from `before`. */
function faultsAt({ r, books }: Place, before: Place): string[] {
  const held = balancesIn(r);
  const settlements = r.slots.filter((slot) => ['collect', 'settle', 'reverse'].includes(slot));
  const faults: [boolean, string][] = [
    [Object.values(books).reduce((sum, balance) => sum + balance, 0n) !== 0n, 'the books do not balance'],
    [settlements.length > 1, `settled twice: ${settlements}`],
    [new Set(r.slots).size !== r.slots.length, `a slot twice: ${r.slots}`],
    [books[account.available] !== held.available, `available ${books[account.available]}`],
    [(books[account.frozen] ?? 0n) !== held.frozen, `frozen ${books[account.frozen]}`],
    [(books[account.house] ?? 0n) !== held.house, `house ${books[account.house]}`],
    [isFinal(before.r.state) && r.state !== before.r.state, `left ${before.r.state}`],
    [isFinal(r.state) !== (r.nextStep === null), `next step ${r.nextStep} in ${r.state}`],
  ];
  return faults.filter(([isFault]) => isFault).map(([, fault]) => fault);
}

function walk(sort: Sort): { places: number; ends: Set<State>; faults: string[] } {
  const seen = { places: 0, ends: new Set<State>(), faults: [] as string[] };
  const go = (before: Place, left: number): void => {
    if (left === 0) return;
    for (const heard of reports) {
      const decision = decide(before.r, heard);
      const books = decision.journal ? post(before.books, decision.journal) : before.books;
      const path = `${before.path} ${heard.source}:${heard.news}`;
      const place = { r: after(before.r, decision), books, path };
      seen.places++;
      seen.ends.add(place.r.state);
      seen.faults.push(...faultsAt(place, before).map((fault) => `${path}: ${fault}`));
      go(place, left - 1);
    }
  };
  go(start(sort), PATH_MAX);
  return seen;
}

const sorts: readonly Sort[] = [
  { kind: 'collect', funding: 'wallet' },
  { kind: 'deliver', funding: 'wallet' },
  { kind: 'deliver', funding: 'house' },
  { kind: 'refund', funding: 'wallet' },
  { kind: 'recall', funding: 'wallet' },
  { kind: 'recall', funding: 'house' },
];

test.each(sorts)(
  'no path of a $kind by $funding loses, invents or strands money, or settles twice',
  (sort) => {
    const { places, ends, faults } = walk(sort);
    expect(faults.slice(0, 5)).toEqual([]);
    expect({ places, ends: ends.size }).toEqual({ places: 111_110, ends: 6 });
  },
);
