import { expect, test } from '@jest/globals';
import { depthReader } from '../../src/pages/overview/depth.js';

const of = (count: number) => [{ queue: 'webhooks', state: 'waiting', count }] as const;

test('a count is shown again for ten seconds while the next one is under way', async () => {
  let nowMs = 0;
  let count = 0;
  const answers: ((depth: ReturnType<typeof of>) => void)[] = [];
  const depth = () => new Promise<ReturnType<typeof of>>((resolve) => answers.push(resolve));
  const read = depthReader({ depth: async () => [...(await depth())] }, () => nowMs);
  const first = read();
  answers.shift()!(of(++count));
  expect(await first).toEqual(of(1));
  expect(await read()).toEqual(of(1));
  expect(answers).toHaveLength(1);
  expect(await read()).toEqual(of(1));
  expect(answers).toHaveLength(1);
  answers.shift()!(of(++count));
  await new Promise(setImmediate);
  expect(await read()).toEqual(of(2));
  nowMs = 10_001;
  const late = read();
  answers.shift()!(of(++count));
  expect(await late).toEqual(of(3));
});

test('queues that are away, or silent for half a second, are null', async () => {
  const away = depthReader({ depth: () => Promise.reject(new Error('away')) }, () => 0);
  expect(await away()).toBeNull();
  const silent = depthReader({ depth: () => new Promise(() => {}) }, () => 0);
  expect(await silent()).toBeNull();
});
