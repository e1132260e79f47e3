import { describe, expect, test } from '@jest/globals';
import { decide, type ReportSource } from '../../src/core/decision.js';
import type { Money } from '../../src/core/money/money.js';
import { isFinal, news, type State, states } from '../../src/core/recharge.js';
import { openCase, recharge, report } from '../support/recharge.js';

const unfinished = states.filter((state) => !isFinal(state));
const otherMoney = [
  { amountMinor: 4_998n, currency: 'USD' },
  { amountMinor: 4_999n, currency: 'EUR' },
];

const heldOf = (money: Money) => ({ ...money, providerOrderId: null });

describe('a claim', () => {
  test.each([
    { state: 'CREATED', verdict: 'moved', to: 'SUBMITTED' },
    { state: 'SUBMITTED', verdict: 'stale', to: 'SUBMITTED' },
    { state: 'PENDING_CONFIRMATION', verdict: 'stale', to: 'PENDING_CONFIRMATION' },
  ] as const)('is granted in $state if the next step is a submit', ({ state, verdict, to }) => {
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
  )('is refused without a trace in $state if the next step is $nextStep', ({ state, nextStep }) => {
    const decision = decide(recharge(state, { nextStep }), report('submit', { source: 'submission' }));
    expect(decision).toMatchObject({ claimed: false, filed: false, verdict: 'stale', to: state, nextStep });
  });

  test('no other news grants one', () => {
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

  test('settled and accepted count for any attempt', () => {
    const submitted = recharge('SUBMITTED', { attempt: 2 });
    expect(decide(submitted, report('settled', asleep))).toMatchObject({ verdict: 'moved', to: 'SUCCEEDED' });
    expect(decide(submitted, report('accepted', asleep)).to).toBe('PENDING_CONFIRMATION');
  });

  test('declined counts for the last attempt, and in a report without an attempt', () => {
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

  test.each(states)('settled in %s is a conflict', (state) => {
    for (const money of otherMoney) {
      const decision = decide(recharge(state), report('settled', { money }));
      expect(decision).toMatchObject({
        verdict: 'conflict',
        to: state,
        openCase: kindOf[state],
        filed: true,
      });
      // In SUCCEEDED the money of the recharge is posted already, and in CREATED its submit will post it. In the other
      // states this money is in no journal yet.
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

  test('goes to suspense once, and opens one case', () => {
    const money = otherMoney[0]!;
    const known = recharge('PENDING_CONFIRMATION', {
      slots: ['suspense'],
      openCases: ['wrong_amount'],
      cases: [openCase('wrong_amount', { ...money, providerOrderId: 'order-1' })],
    });
    expect(decide(known, report('settled', { money }))).toMatchObject({ journal: null, openCase: null });
  });

  test('the same money, reported explicitly, is no conflict', () => {
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

  test('before the submit opens a case, and the submit that hears of it posts it once', () => {
    const decision = decide(recharge('CREATED'), report('settled'));
    expect(decision).toMatchObject({ verdict: 'conflict', openCase: 'unsent_order', journal: null });
    const sent = recharge('SUBMITTED', { openCases: ['unsent_order'] });
    expect(decide(sent, report('settled')).journal).toMatchObject({ slot: 'collect' });
  });

  test('of a delivery debits suspense, because it went out', () => {
    const decision = decide(recharge('FAILED', { kind: 'deliver' }), report('settled'));
    const paid = { debit: 'suspense:sandbox', credit: 'provider:sandbox:clearing', money };
    expect(decision.journal).toEqual({ slot: 'suspense', postings: [paid] });
  });

  test('goes to suspense once', () => {
    const known = recharge('FAILED', {
      slots: ['reverse', 'suspense'],
      openCases: ['late_money'],
      cases: [openCase('late_money', { ...money, providerOrderId: null })],
    });
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
  ] as const)(
    'that repeats $heard in $state leaves no transition, unlike other sources',
    ({ state, heard }) => {
      const filedBy = (source: ReportSource) => decide(recharge(state), report(heard, { source })).filed;
      expect(filedBy('poll')).toBe(false);
      for (const source of ['submission', 'webhook', 'operator'] as const) expect(filedBy(source)).toBe(true);
    },
  );

  test('that contradicts the books is filed unless a case of its kind is open', () => {
    const settled = report('settled', { source: 'poll', money: otherMoney[0]! });
    expect(decide(recharge('SUBMITTED'), settled).filed).toBe(true);
    const held = { openCases: ['wrong_amount'], cases: [openCase('wrong_amount', heldOf(otherMoney[0]!))] };
    expect(decide(recharge('SUBMITTED', held), settled).filed).toBe(false);
  });

  test('may open a case without a contradiction, once', () => {
    const doubtful = report('unknown', { source: 'poll', doubt: 'absent_order' });
    const pending = recharge('PENDING_CONFIRMATION');
    expect(decide(pending, doubtful)).toMatchObject({ openCase: 'absent_order', filed: true });
    const asked = recharge('PENDING_CONFIRMATION', { openCases: ['absent_order'] });
    expect(decide(asked, doubtful)).toMatchObject({ openCase: null, filed: false });
  });
});

describe('the next step', () => {
  test('an acknowledged order is asked about, and never sent again', () => {
    const resending = recharge('PENDING_CONFIRMATION', { nextStep: 'submit', confirmation: 'unknown' });
    expect(decide(resending, report('accepted', { nextStep: 'submit' }))).toMatchObject({
      nextStep: 'ask',
      confirmation: 'acknowledged',
    });
  });

  test('an acknowledged order that the provider no longer knows opens a case, and is never sent again', () => {
    const gone = report('unknown', { source: 'poll', nextStep: 'submit' });
    const taken = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
    expect(decide(taken, gone)).toMatchObject({ nextStep: 'ask', openCase: 'absent_order', filed: true });
    const asked = recharge('PENDING_CONFIRMATION', {
      confirmation: 'acknowledged',
      openCases: ['absent_order'],
    });
    expect(decide(asked, gone)).toMatchObject({ nextStep: 'ask', openCase: null, filed: false });
  });

  test('a late report that nothing was sent does not change an acknowledged order', () => {
    const late = report('unknown', { source: 'submission', nextStep: 'submit' });
    const taken = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
    expect(decide(taken, late)).toMatchObject({ verdict: 'stale', nextStep: 'ask', openCase: null });
  });

  test('an unknown order is asked about unless its absence was proven', () => {
    expect(decide(recharge('SUBMITTED'), report('unknown')).nextStep).toBe('ask');
    expect(decide(recharge('SUBMITTED'), report('unknown', { nextStep: 'submit' })).nextStep).toBe('submit');
    const pending = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
    expect(decide(pending, report('unknown')).confirmation).toBe('acknowledged');
  });

  test('a conflict before the submit leaves the submit as the next step', () => {
    const decision = decide(recharge('CREATED'), report('unknown', { nextStep: 'ask' }));
    expect(decision).toMatchObject({ verdict: 'conflict', openCase: 'unsent_order', nextStep: 'submit' });
  });
});

describe('the wish to withdraw a sent recharge', () => {
  const paying = { isPayable: true, confirmation: 'acknowledged' } as const;
  const wish = report('withdraw', { source: 'client', isCancelable: true });

  test('becomes the next step while its payer has not paid, and is filed once', () => {
    const waiting = recharge('PENDING_CONFIRMATION', paying);
    expect(decide(waiting, wish)).toMatchObject({
      ...{ verdict: 'stale', to: 'PENDING_CONFIRMATION', filed: true, nextStep: 'cancel', journal: null },
    });
    expect(decide({ ...waiting, nextStep: 'cancel' }, wish)).toMatchObject({
      ...{ filed: false, nextStep: 'cancel' },
    });
  });

  test.each([
    ['in another state', recharge('SUBMITTED', paying), wish],
    ['of a finished recharge', recharge('SUCCEEDED', paying), wish],
    ['that waits for no payer', recharge('PENDING_CONFIRMATION', { ...paying, isPayable: false }), wish],
    ['of a provider that cancels nothing', recharge('PENDING_CONFIRMATION', paying), report('withdraw')],
    ...['wrong_amount', 'several_orders', 'other_account', 'unsent_order'].map(
      (kind) =>
        [
          `with an open case ${kind}`,
          recharge('PENDING_CONFIRMATION', { ...paying, openCases: [kind] }),
          wish,
        ] as const,
    ),
  ] as const)('changes nothing %s', (_what, r, asked) => {
    expect(decide(r, asked)).toMatchObject({ verdict: 'stale', filed: false, nextStep: r.nextStep });
  });

  test('stays the next step whatever is reported, until the recharge is final', () => {
    const canceling = recharge('PENDING_CONFIRMATION', { ...paying, nextStep: 'cancel' });
    for (const source of ['webhook', 'poll', 'submission'] as const) {
      for (const nextStep of [undefined, 'ask', 'submit', 'cancel'] as const) {
        for (const heard of ['accepted', 'unknown'] as const) {
          const said = report(heard, { source, ...(nextStep && { nextStep }) });
          expect([said, decide(canceling, said).nextStep]).toEqual([said, 'cancel']);
        }
      }
    }
    expect(decide(canceling, report('settled'))).toMatchObject({ to: 'SUCCEEDED', nextStep: null });
    expect(decide(canceling, report('canceled'))).toMatchObject({ to: 'CANCELED', nextStep: null });
  });

  test('follows from a query of an order whose time is over, but never before the provider has the order', () => {
    const overdue = report('accepted', { source: 'poll', nextStep: 'cancel' });
    expect(decide(recharge('PENDING_CONFIRMATION', paying), overdue).nextStep).toBe('cancel');
    expect(decide(recharge('CREATED'), overdue).nextStep).toBe('submit');
  });
});
