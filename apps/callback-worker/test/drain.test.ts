import { getEventListeners } from 'node:events';
import { expect, test } from '@jest/globals';
import { type DrainDeps, drainer } from '../src/drain.js';

test('the signal that stops the process gets one listener, however many receivers are looked at', async () => {
  const stopping = new AbortController().signal;
  const taken: string[] = [];
  const callbacks: Pick<DrainDeps['callbacks'], 'take' | 'release'> = {
    take: async (lane) => {
      taken.push(lane);
      return [];
    },
    release: async () => false,
  };
  const drain = drainer({
    callbacks,
    stopping,
    timeoutMs: 1_000,
    isRefunding: () => false,
  } as unknown as DrainDeps);
  for (let n = 0; n < 30; n++) await drain(`endpoint-${n % 3}`);
  expect(taken).toHaveLength(30);
  expect(getEventListeners(stopping, 'abort')).toHaveLength(1);
});
