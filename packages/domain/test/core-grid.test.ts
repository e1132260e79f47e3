import { describe, expect, test } from '@jest/globals';
import { isFinal, type News, news, type State, states, step } from '../src/core/recharge.js';

// Written from the rules, not from the grid: what moves, what contradicts; whatever is left tells nothing new.
const moves: Partial<Record<`${State} ${News}`, State>> = {
  'CREATED submit': 'SUBMITTED',
  'CREATED cancel': 'CANCELED',
  'SUBMITTED accepted': 'PENDING_CONFIRMATION',
  'SUBMITTED unknown': 'PENDING_CONFIRMATION',
  'SUBMITTED settled': 'SUCCEEDED',
  'SUBMITTED declined': 'FAILED',
  'PENDING_CONFIRMATION settled': 'SUCCEEDED',
  'PENDING_CONFIRMATION declined': 'FAILED',
  'PENDING_CONFIRMATION cancel': 'CANCELED',
};

const contradictions = new Set<`${State} ${News}`>([
  // The provider speaks of an order that was never sent.
  'CREATED accepted',
  'CREATED unknown',
  'CREATED settled',
  'CREATED declined',
  // A call is under way, so nobody can promise that it has no effect.
  'SUBMITTED cancel',
  'SUCCEEDED declined',
  'SUCCEEDED cancel',
  'FAILED cancel',
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

test('there are six states and six kinds of news', () => {
  expect({ states: new Set(states).size, news: new Set(news).size }).toEqual({ states: 6, news: 6 });
});

test('final are the three states that nothing leads out of', () => {
  expect(states.filter(isFinal)).toEqual(['SUCCEEDED', 'FAILED', 'CANCELED']);
});
