import { describe, expect, test } from '@jest/globals';
import { decide } from '../../src/core/decision.js';
import { recharge, report } from '../support/recharge.js';

describe('a decline that is older than the settlement', () => {
  const settled = { settledSaidAt: new Date('2026-11-21T22:00:01Z') };
  const at = (time: string) => ({ saidAt: new Date(time) });

  test.each(['declined', 'canceled'] as const)('by the clock of the provider is stale: %s', (heard) => {
    const older = decide(recharge('SUCCEEDED', settled), report(heard, at('2026-11-21T22:00:00Z')));
    expect(older).toMatchObject({ verdict: 'stale', openCase: null, to: 'SUCCEEDED' });
  });

  test.each([
    ['that is not older', recharge('SUCCEEDED', settled), at('2026-11-21T22:00:01Z')],
    ['without a time', recharge('SUCCEEDED', settled), {}],
    ['of a settlement without a time', recharge('SUCCEEDED'), at('2026-11-21T22:00:00Z')],
  ])('is assumed of no decline %s', (_what, r, said) => {
    expect(decide(r, report('declined', said))).toMatchObject({
      ...{ verdict: 'conflict', openCase: 'declined_after_success' },
    });
  });
});
