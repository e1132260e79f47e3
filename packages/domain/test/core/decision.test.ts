import { describe, expect, test } from '@jest/globals';
import { decide, type ReportSource } from '../../src/core/decision.js';
import { isFinal, news, type State, states } from '../../src/core/recharge.js';
import { recharge, report } from '../support/recharge.js';

const unfinished = states.filter((state) => !isFinal(state));
const otherMoney = [
  { amountMinor: 4_998n, currency: 'USD' },
  { amountMinor: 4_999n, currency: 'EUR' },
];

describe('a claim', () => {
  test.each([
    { state: 'CREATED', verdict: 'moved', to: 'SUBMITTED' },
    { state: 'SUBMITTED', verdict: 'stale', to: 'SUBMITTED' },
    { state: 'PENDING_CONFIRMATION', verdict: 'stale', to: 'PENDING_CONFIRMATION' },
  ] as const)('opens an attempt in $state where a submit comes next', ({ state, verdict, to }) => {
    const decision = decide(recharge(state, { nextStep: 'submit' }), report('submit'));
    expect(decision).toMatchObject({
      claimed: true,
      filed: true,
      verdict,
      to,
      nextStep: 'ask',
      journal: null,
    });
  });

  test.each(
    states.flatMap((state) => [
      { state, nextStep: 'ask' as const },
      { state, nextStep: null },
    ]),
  )('is refused without a trace in $state where the next step is $nextStep', ({ state, nextStep }) => {
    const decision = decide(recharge(state, { nextStep }), report('submit', { source: 'submission' }));
    expect(decision).toMatchObject({ claimed: false, filed: false, verdict: 'stale', to: state, nextStep });
  });

  test('nothing else opens an attempt', () => {
    for (const state of states) {
      for (const heard of news.filter((one) => one !== 'submit')) {
        expect(decide(recharge(state, { nextStep: 'submit' }), report(heard)).claimed).toBe(false);
      }
    }
  });
});

describe('the answer to an attempt that is no longer the last', () => {
  const asleep = { attempt: 1, source: 'submission', nextStep: 'submit' } as const;

  test.each(['unknown', 'declined'] as const)('%s is filed and moves nothing', (heard) => {
    for (const state of ['SUBMITTED', 'PENDING_CONFIRMATION'] as const) {
      const decision = decide(recharge(state, { attempt: 2 }), report(heard, asleep));
      expect(decision).toMatchObject({ verdict: 'stale', to: state, filed: true, nextStep: 'ask' });
      expect({ journal: decision.journal, openCase: decision.openCase }).toEqual({
        journal: null,
        openCase: null,
      });
    }
  });

  test('settled and accepted stay true whoever says them', () => {
    const submitted = recharge('SUBMITTED', { attempt: 2 });
    expect(decide(submitted, report('settled', asleep))).toMatchObject({ verdict: 'moved', to: 'SUCCEEDED' });
    expect(decide(submitted, report('accepted', asleep)).to).toBe('PENDING_CONFIRMATION');
  });

  test('of the last attempt, or of none in particular, decline counts', () => {
    const submitted = recharge('SUBMITTED', { attempt: 2 });
    expect(decide(submitted, report('declined', { attempt: 2 })).to).toBe('FAILED');
    expect(decide(submitted, report('declined')).to).toBe('FAILED');
  });
});

describe('another amount or currency', () => {
  const kindOf: Record<State, string | null> = {
    CREATED: 'wrong_amount',
    SUBMITTED: 'wrong_amount',
    PENDING_CONFIRMATION: 'wrong_amount',
    SUCCEEDED: 'wrong_amount',
    FAILED: 'late_money',
    CANCELED: 'late_money',
  };

  test.each(states)('settled in %s is a conflict, whatever the state', (state) => {
    for (const money of otherMoney) {
      const decision = decide(recharge(state), report('settled', { money }));
      expect(decision).toMatchObject({
        verdict: 'conflict',
        to: state,
        openCase: kindOf[state],
        filed: true,
      });
      // What a succeeded recharge got stays in the books, and a submit will hear of what nobody sent yet; everywhere
      // else nobody has booked this money.
      const isBooked = state === 'SUCCEEDED' || state === 'CREATED';
      const journal = isBooked ? null : { slot: 'suspense', postings: [{ money }] };
      if (journal) expect(decision.journal).toMatchObject(journal);
      else expect(decision.journal).toBeNull();
    }
  });

  test.each(unfinished)('accepted or declined in %s opens a case and posts nothing', (state) => {
    for (const heard of ['accepted', 'declined'] as const) {
      const decision = decide(recharge(state), report(heard, { money: otherMoney[0]! }));
      expect(decision).toMatchObject({
        verdict: 'conflict',
        to: state,
        openCase: 'wrong_amount',
        journal: null,
      });
    }
  });

  test('is quarantined once, and its case opened once', () => {
    const money = otherMoney[0]!;
    const known = recharge('PENDING_CONFIRMATION', { slots: ['suspense'], openCases: ['wrong_amount'] });
    expect(decide(known, report('settled', { money }))).toMatchObject({ journal: null, openCase: null });
  });

  test('the same money said in words of its own is no conflict', () => {
    const money = { amountMinor: 4_999n, currency: 'USD' };
    expect(decide(recharge('SUBMITTED'), report('settled', { money })).to).toBe('SUCCEEDED');
    expect(decide(recharge('SUCCEEDED'), report('settled', { money })).verdict).toBe('stale');
  });
});

describe('late money', () => {
  const money = { amountMinor: 4_999n, currency: 'USD' };
  const posted = { debit: 'provider:sandbox:clearing', credit: 'suspense:sandbox', money };

  test.each(['FAILED', 'CANCELED'] as const)('in %s goes to suspense, with a case', (state) => {
    const decision = decide(recharge(state), report('settled'));
    expect(decision.journal).toEqual({ slot: 'suspense', postings: [posted] });
    expect(decision.openCase).toBe('late_money');
  });

  test('before anything was sent has a case, and is posted once, by the submit that hears of it', () => {
    const decision = decide(recharge('CREATED'), report('settled'));
    expect(decision).toMatchObject({ verdict: 'conflict', openCase: 'unsent_order', journal: null });
    const sent = recharge('SUBMITTED', { openCases: ['unsent_order'] });
    expect(decide(sent, report('settled')).journal).toMatchObject({ slot: 'collect' });
  });

  test('of a delivery went out, and is posted the other way', () => {
    const decision = decide(recharge('FAILED', { kind: 'deliver' }), report('settled'));
    const paid = { debit: 'suspense:sandbox', credit: 'provider:sandbox:clearing', money };
    expect(decision.journal).toEqual({ slot: 'suspense', postings: [paid] });
  });

  test('is quarantined once', () => {
    const known = recharge('FAILED', { slots: ['reverse', 'suspense'], openCases: ['late_money'] });
    const decision = decide(known, report('settled', { source: 'poll' }));
    expect(decision).toMatchObject({ verdict: 'conflict', journal: null, openCase: null, filed: false });
  });
});

describe('a poll', () => {
  test.each([
    { state: 'PENDING_CONFIRMATION', heard: 'accepted' },
    { state: 'PENDING_CONFIRMATION', heard: 'unknown' },
    { state: 'SUCCEEDED', heard: 'settled' },
    { state: 'FAILED', heard: 'declined' },
  ] as const)('that repeats $heard in $state leaves no transition; others do', ({ state, heard }) => {
    const filedBy = (source: ReportSource) => decide(recharge(state), report(heard, { source })).filed;
    expect(filedBy('poll')).toBe(false);
    for (const source of ['submission', 'webhook', 'operator'] as const) expect(filedBy(source)).toBe(true);
  });

  test('that contradicts is filed as long as no case of its kind is open', () => {
    const settled = report('settled', { source: 'poll', money: otherMoney[0]! });
    expect(decide(recharge('SUBMITTED'), settled).filed).toBe(true);
    expect(decide(recharge('SUBMITTED', { openCases: ['wrong_amount'] }), settled).filed).toBe(false);
  });

  test('may raise a doubt although nothing contradicts, once', () => {
    const doubtful = report('unknown', { source: 'poll', doubt: 'absent_order' });
    const pending = recharge('PENDING_CONFIRMATION');
    expect(decide(pending, doubtful)).toMatchObject({ openCase: 'absent_order', filed: true });
    const asked = recharge('PENDING_CONFIRMATION', { openCases: ['absent_order'] });
    expect(decide(asked, doubtful)).toMatchObject({ openCase: null, filed: false });
  });
});

describe('what comes next', () => {
  test('an order that is acknowledged is asked about, never sent again', () => {
    const resending = recharge('PENDING_CONFIRMATION', { nextStep: 'submit', confirmation: 'unknown' });
    expect(decide(resending, report('accepted', { nextStep: 'submit' }))).toMatchObject({
      nextStep: 'ask',
      confirmation: 'acknowledged',
    });
  });

  test('an acknowledged order that is gone is a case, and is never sent again', () => {
    const gone = report('unknown', { source: 'poll', nextStep: 'submit' });
    const taken = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
    expect(decide(taken, gone)).toMatchObject({ nextStep: 'ask', openCase: 'absent_order', filed: true });
    const asked = recharge('PENDING_CONFIRMATION', {
      confirmation: 'acknowledged',
      openCases: ['absent_order'],
    });
    expect(decide(asked, gone)).toMatchObject({ nextStep: 'ask', openCase: null, filed: false });
  });

  test('whoever sent nothing after all does not speak for an order that was taken', () => {
    const late = report('unknown', { source: 'submission', nextStep: 'submit' });
    const taken = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
    expect(decide(taken, late)).toMatchObject({ verdict: 'stale', nextStep: 'ask', openCase: null });
  });

  test('an unknown order is asked about unless absence was proven', () => {
    expect(decide(recharge('SUBMITTED'), report('unknown')).nextStep).toBe('ask');
    expect(decide(recharge('SUBMITTED'), report('unknown', { nextStep: 'submit' })).nextStep).toBe('submit');
    const pending = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
    expect(decide(pending, report('unknown')).confirmation).toBe('acknowledged');
  });

  test('a conflict before anything was sent leaves the submit as it was', () => {
    const decision = decide(recharge('CREATED'), report('unknown', { nextStep: 'ask' }));
    expect(decision).toMatchObject({ verdict: 'conflict', openCase: 'unsent_order', nextStep: 'submit' });
  });
});
