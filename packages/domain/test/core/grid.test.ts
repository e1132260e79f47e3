import { describe, expect, test } from '@jest/globals';
import { decide, type ReportSource } from '../../src/core/decision.js';
import { kinds } from '../../src/core/money/postings.js';
import { isFinal, type News, news, type State, states, step } from '../../src/core/recharge.js';
import { recharge, report } from '../support/recharge.js';

// The expected table. It is written from the rules and not copied from the grid. First come the moves, then the
// conflicts. All other news are stale.
const moves: Partial<Record<`${State} ${News}`, State>> = {
  'CREATED submit': 'SUBMITTED',
  'CREATED withdraw': 'CANCELED',
  'SUBMITTED accepted': 'PENDING_CONFIRMATION',
  // A provider accepts an order before it cancels the order.
  'SUBMITTED canceled': 'PENDING_CONFIRMATION',
  'SUBMITTED unknown': 'PENDING_CONFIRMATION',
  'SUBMITTED settled': 'SUCCEEDED',
  'SUBMITTED declined': 'FAILED',
  'PENDING_CONFIRMATION settled': 'SUCCEEDED',
  'PENDING_CONFIRMATION declined': 'FAILED',
  'PENDING_CONFIRMATION canceled': 'CANCELED',
  // Late money that a person credits.
  'FAILED adopted': 'SUCCEEDED',
  'CANCELED adopted': 'SUCCEEDED',
};

const contradictions = new Set<`${State} ${News}`>([
  // The provider reports an order that was never sent.
  'CREATED accepted',
  'CREATED unknown',
  'CREATED settled',
  'CREATED declined',
  'CREATED canceled',
  'SUCCEEDED declined',
  'SUCCEEDED canceled',
  'FAILED canceled',
  // Late money.
  'FAILED settled',
  'CANCELED settled',
]);

function expected(from: State, heard: News) {
  const to = moves[`${from} ${heard}`];
  if (to) return { verdict: 'moved', to };
  return { verdict: contradictions.has(`${from} ${heard}`) ? 'conflict' : 'stale', to: from };
}

describe('every state answers every kind of news', () => {
  test.each(states.flatMap((from) => news.map((heard) => ({ from, heard }))))(
    '$heard in $from',
    ({ from, heard }) => {
      expect(step(from, heard)).toEqual(expected(from, heard));
    },
  );
});

test('there are six states and nine kinds of news', () => {
  expect({ states: new Set(states).size, news: new Set(news).size }).toEqual({ states: 6, news: 9 });
});

test('the three states that only a person can leave are final', () => {
  expect(states.filter(isFinal)).toEqual(['SUCCEEDED', 'FAILED', 'CANCELED']);
});

const sources: readonly ReportSource[] = ['submission', 'webhook', 'poll', 'client', 'operator'];

describe('a decision equals the table', () => {
  test.each(kinds)('of a %s, for every state, news and source', (kind) => {
    for (const state of states) {
      for (const heard of news.filter((one) => one !== 'adopted')) {
        for (const source of sources) {
          // A claim is granted only if the next step is a submit. decision.test.ts tests that rule.
          const nextStep = heard === 'submit' ? 'submit' : recharge(state).nextStep;
          const { verdict, to } = decide(recharge(state, { kind, nextStep }), report(heard, { source }));
          expect({ state, heard, source, verdict, to }).toEqual({
            state,
            heard,
            source,
            ...step(state, heard),
          });
        }
      }
    }
  });
});

test('adopted and resolved move nothing without the decision about a case, whoever reports them', () => {
  for (const state of states) {
    for (const heard of ['adopted', 'resolved'] as const) {
      for (const source of sources) {
        const decision = decide(recharge(state), report(heard, { source }));
        expect(decision).toMatchObject({ verdict: 'stale', to: state, filed: false, journal: null });
      }
    }
  }
});
