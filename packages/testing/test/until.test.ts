import { expect, test } from '@jest/globals';
import { until } from '../src/until.js';

test('returns the first truthy result, even after throws', async () => {
  let asked = 0;
  const answer = await until(
    () => {
      asked += 1;
      if (asked === 1) throw new Error('not open yet');
      return asked === 3 && 'third';
    },
    { limitMs: 30_000, everyMs: 1 },
    'the third question',
  );
  expect(answer).toBe('third');
});

test('the error names the awaited condition and the last result', async () => {
  const never = until(() => Promise.reject(new Error('closed')), { limitMs: 20, everyMs: 5 }, 'a door');
  await expect(never).rejects.toThrow('not in 20 ms: a door (at last it threw Error: closed)');
});
