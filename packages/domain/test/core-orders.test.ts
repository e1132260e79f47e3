import { describe, expect, test } from '@jest/globals';
import { decide } from '../src/core/decision.js';
import { states } from '../src/core/recharge.js';
import { recharge, report } from './recharge.js';

test('the answer to an old attempt leaves what is known of the order as it was', () => {
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

test('an absence that was asked about an old attempt is no doubt of the new one', () => {
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
  const other = { providerOrderId: 'sbx_2', source: 'webhook' } as const;

  test('that settles after the first is a case, and moves nothing', () => {
    const decision = decide(recharge('SUCCEEDED', first), report('settled', other));
    expect(decision).toMatchObject({
      verdict: 'stale',
      to: 'SUCCEEDED',
      openCase: 'several_orders',
      journal: null,
    });
    const known = recharge('SUCCEEDED', { ...first, openCases: ['several_orders'] });
    expect(decide(known, report('settled', other)).openCase).toBeNull();
  });

  test('is none where the same order is heard of again, or none is named', () => {
    for (const again of [first, {}, { providerOrderId: null }]) {
      expect(decide(recharge('SUCCEEDED', first), report('settled', again)).openCase).toBeNull();
    }
  });
});

describe('a cancel', () => {
  test('by a client is only heard before anything was sent', () => {
    const asked = report('cancel', { source: 'client' });
    expect(decide(recharge('CREATED'), asked)).toMatchObject({ verdict: 'moved', to: 'CANCELED' });
    for (const state of states.filter((one) => one !== 'CREATED')) {
      expect(decide(recharge(state), asked)).toMatchObject({ verdict: 'stale', to: state, filed: false });
    }
  });

  test.each(['unsent_order', 'wrong_amount'])('by a client is refused while %s is open', (kind) => {
    const decision = decide(
      recharge('CREATED', { openCases: [kind] }),
      report('cancel', { source: 'client' }),
    );
    expect(decision).toMatchObject({ verdict: 'stale', to: 'CREATED', filed: false });
  });

  test.each(['webhook', 'poll'] as const)(
    'by a %s tells that the order was taken, and is asked about',
    (source) => {
      const decision = decide(recharge('SUBMITTED'), report('cancel', { source }));
      expect(decision).toMatchObject({
        verdict: 'moved',
        to: 'PENDING_CONFIRMATION',
        confirmation: 'acknowledged',
        nextStep: 'ask',
        openCase: null,
      });
      const pending = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged' });
      expect(decide(pending, report('cancel', { source })).to).toBe('CANCELED');
    },
  );

  test('that the provider confirms is taken while it is pending, and gives a hold back', () => {
    const decision = decide(recharge('PENDING_CONFIRMATION', { kind: 'deliver' }), report('cancel'));
    expect(decision).toMatchObject({ to: 'CANCELED', nextStep: null, journal: { slot: 'reverse' } });
  });
});
