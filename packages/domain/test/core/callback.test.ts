import { describe, expect, test } from '@jest/globals';
import { afterPost, CALLBACK_SCHEDULE_MS, type PostOutcome } from '../../src/core/callback.js';

const outcome = (over: Partial<PostOutcome>): PostOutcome => ({
  ...{ httpStatus: 503, error: 'answered 503', durationMs: 5, retryAfterMs: null },
  ...over,
});
const always = (random: number) => ({ schedule: CALLBACK_SCHEDULE_MS, random: () => random });

describe('what becomes of a delivery', () => {
  test('the gaps are 5 s, 30 s, 2 min, 10 min, 1 h, 4 h, 12 h, 24 h and 24 h, then it is given up', () => {
    const gaps = CALLBACK_SCHEDULE_MS.map((_, tries) => afterPost(outcome({}), tries, always(0)));
    const seconds = [5, 30, 120, 600, 3_600, 14_400, 43_200, 86_400, 86_400];
    expect(gaps).toEqual(seconds.map((gap) => ({ status: 'pending', gapMs: gap * 1_000 })));
    expect(afterPost(outcome({}), 9, always(0))).toEqual({ status: 'failed' });
  });

  test('a gap is up to a fifth longer, by chance', () => {
    expect(afterPost(outcome({}), 0, always(0.5))).toEqual({ status: 'pending', gapMs: 5_500 });
    expect(afterPost(outcome({}), 0, always(1))).toEqual({ status: 'pending', gapMs: 6_000 });
  });

  test('a receiver may ask for a longer gap of a day at most, and not for a shorter one', () => {
    const asked = (retryAfterMs: number, tries = 0) => afterPost(outcome({ retryAfterMs }), tries, always(0));
    expect(asked(60_000)).toEqual({ status: 'pending', gapMs: 60_000 });
    expect(asked(1)).toEqual({ status: 'pending', gapMs: 5_000 });
    expect(asked(1e12)).toEqual({ status: 'pending', gapMs: 86_400_000 });
  });

  test('an event without an error has arrived, and a receiver that answers 410 is gone', () => {
    expect(afterPost(outcome({ httpStatus: 200, error: null }), 3, always(0))).toEqual({
      status: 'delivered',
    });
    expect(afterPost(outcome({ httpStatus: 410, error: 'answered 410' }), 0, always(0))).toEqual({
      status: 'gone',
    });
  });
});
