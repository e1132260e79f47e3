import { describe, expect, test } from '@jest/globals';
import { decide } from '../../src/core/decision.js';
import { news, states } from '../../src/core/recharge.js';
import { openCase, recharge, report } from '../support/recharge.js';

test('the answer to an old attempt does not change the known facts of the order', () => {
  const sending = recharge('PENDING_CONFIRMATION', {
    attempt: 2,
    confirmation: 'unknown',
    nextStep: 'submit',
  });
  const asleep = report('declined', { attempt: 1, source: 'submission' });
  expect(decide(sending, asleep)).toMatchObject({
    verdict: 'stale',
    confirmation: 'unknown',
    nextStep: 'submit',
  });
});

test('the absence of an old attempt opens no case for the new one', () => {
  const taken = recharge('PENDING_CONFIRMATION', { attempt: 2, confirmation: 'acknowledged' });
  for (const said of [{ nextStep: 'submit' }, { doubt: 'absent_order' }] as const) {
    const late = report('unknown', { attempt: 1, source: 'poll', ...said });
    expect(decide(taken, late)).toMatchObject({
      verdict: 'stale',
      nextStep: 'ask',
      openCase: null,
      filed: false,
    });
  }
});

describe('another order of the same reference', () => {
  const first = { providerOrderId: 'sbx_1' };
  const money = { amountMinor: 4_999n, currency: 'USD' };
  const other = { providerOrderId: 'sbx_2', source: 'webhook', money } as const;
  const suspended = { slot: 'suspense', postings: [{ credit: 'suspense:sandbox', money }] };

  test('that settles moves nothing, opens a case, and its money goes to suspense once', () => {
    for (const state of ['SUBMITTED', 'PENDING_CONFIRMATION', 'SUCCEEDED', 'FAILED', 'CANCELED'] as const) {
      const decision = decide(recharge(state, first), report('settled', other));
      expect(decision).toMatchObject({ verdict: 'conflict', to: state, openCase: 'several_orders' });
      expect(decision).toMatchObject({ journal: suspended, providerOrderId: null });
      const known = recharge(state, {
        ...{ ...first, openCases: ['several_orders'], slots: ['suspense'] },
        cases: [openCase('several_orders', { ...money, providerOrderId: 'sbx_2' })],
      });
      expect(decide(known, report('settled', other))).toMatchObject({ openCase: null, journal: null });
    }
  });

  test.each(['accepted', 'declined', 'canceled'] as const)(
    'that is %s opens a case and posts nothing',
    (heard) => {
      for (const state of states) {
        const decision = decide(recharge(state, first), report(heard, other));
        expect(decision).toMatchObject({ verdict: 'conflict', to: state, openCase: 'several_orders' });
        expect(decision.journal).toBeNull();
      }
    },
  );

  test('does not keep the recharge’s own order from settling it', () => {
    const held = recharge('PENDING_CONFIRMATION', {
      ...first,
      slots: ['suspense'],
      openCases: ['several_orders'],
    });
    const decision = decide(held, report('settled', { ...first, money }));
    expect(decision).toMatchObject({ verdict: 'moved', to: 'SUCCEEDED', journal: { slot: 'collect' } });
  });

  test('is not assumed if the report names the same order, or none', () => {
    for (const again of [first, {}, { providerOrderId: null }]) {
      expect(decide(recharge('SUCCEEDED', first), report('settled', again)).openCase).toBeNull();
    }
  });
});

describe('an order of another account or reference', () => {
  const facts = news.filter(
    (heard) => !['submit', 'withdraw', 'unknown', 'adopted', 'resolved'].includes(heard),
  );

  test.each([{ accountId: 'acct-2' }, { reference: 'r-2' }])('%p moves nothing in any state', (said) => {
    for (const state of states) {
      for (const heard of facts) {
        const decision = decide(recharge(state), report(heard, { ...said, providerOrderId: 'sbx_9' }));
        expect(decision).toMatchObject({ verdict: 'conflict', to: state, openCase: 'other_account' });
        expect(decision.providerOrderId).toBeNull();
      }
    }
  });

  test('that settled has its money in suspense unless the money is posted already', () => {
    const money = { amountMinor: 100n, currency: 'USD' };
    const settled = report('settled', { accountId: 'acct-2', money });
    for (const state of states) {
      const isPosted = state !== 'CREATED' && state !== 'SUCCEEDED';
      const journal = decide(recharge(state), settled).journal;
      expect(journal).toEqual(isPosted ? expect.objectContaining({ slot: 'suspense' }) : null);
    }
  });

  test('causes no second submit', () => {
    const said = report('accepted', { accountId: 'acct-2', nextStep: 'submit' });
    expect(decide(recharge('SUBMITTED'), said)).toMatchObject({
      confirmation: 'acknowledged',
      nextStep: 'ask',
    });
  });

  test('is not assumed if account and reference are ours in upper or lower case, or are missing', () => {
    const same = [{ accountId: 'acct-1', reference: 'R-1' }, { accountId: null, reference: null }, {}];
    for (const said of same) {
      expect(decide(recharge('SUBMITTED'), report('settled', said)).to).toBe('SUCCEEDED');
    }
  });
});

describe('a cancel', () => {
  test('by a client is accepted only before the submit', () => {
    const asked = report('withdraw', { source: 'client' });
    expect(decide(recharge('CREATED'), asked)).toMatchObject({ verdict: 'moved', to: 'CANCELED' });
    for (const state of states.filter((one) => one !== 'CREATED')) {
      expect(decide(recharge(state), asked)).toMatchObject({ verdict: 'stale', to: state, filed: false });
    }
  });

  test.each(['unsent_order', 'wrong_amount', 'several_orders', 'other_account'])(
    'by a client is refused while %s is open',
    (kind) => {
      const decision = decide(
        recharge('CREATED', { openCases: [kind] }),
        report('withdraw', { source: 'client' }),
      );
      expect(decision).toMatchObject({ verdict: 'stale', to: 'CREATED', filed: false });
    },
  );

  test.each(['webhook', 'poll'] as const)(
    'by a %s means that the order was accepted, and the provider is asked about it',
    (source) => {
      const decision = decide(recharge('SUBMITTED'), report('canceled', { source }));
      expect(decision).toMatchObject({
        verdict: 'moved',
        to: 'PENDING_CONFIRMATION',
        confirmation: 'acknowledged',
        nextStep: 'ask',
        openCase: null,
      });
      const pending = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
      expect(decide(pending, report('canceled', { source })).to).toBe('CANCELED');
    },
  );

  test('that the provider confirms ends a pending recharge, and reverses its hold', () => {
    const decision = decide(recharge('PENDING_CONFIRMATION', { kind: 'deliver' }), report('canceled'));
    expect(decision).toMatchObject({ to: 'CANCELED', nextStep: null, journal: { slot: 'reverse' } });
  });
});
