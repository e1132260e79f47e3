import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { HintLane } from '../src/hints.js';

/** A store whose additions end only when the test says so. */
function slowStore() {
  const batches: string[][] = [];
  const waiting: { done: () => void; fail: (error: Error) => void }[] = [];
  return {
    batches,
    addAll: (ids: readonly string[]) =>
      new Promise<void>((done, fail) => {
        batches.push([...ids]);
        waiting.push({ done, fail });
      }),
    next: () => waiting.shift()!,
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a lone hint is added at once, and hints that arrive meanwhile are added together', async () => {
  const store = slowStore();
  const lane = new HintLane(store.addAll, 1_000);
  const first = lane.send(['a']);
  await turn();
  const others = Promise.all([lane.send(['b']), lane.send(['c', 'd']), lane.send(['b'])]);
  await turn();
  const before = store.batches.length;
  store.next().done();
  await first;
  await turn();
  store.next().done();
  await others;
  expect({ before, batches: store.batches }).toEqual({ before: 1, batches: [['a'], ['b', 'c', 'd', 'b']] });
});

test('a failed batch fails only its own hints', async () => {
  const store = slowStore();
  const lane = new HintLane(store.addAll, 1_000);
  const first = lane.send(['a']);
  await turn();
  const second = lane.send(['b']);
  store.next().fail(new Error('away'));
  await expect(first).rejects.toThrow('away');
  await turn();
  store.next().done();
  await expect(second).resolves.toBeUndefined();
});

test('a store that hangs is awaited once, gets no hints meanwhile, and is used again once it answers', async () => {
  const store = slowStore();
  const lane = new HintLane(store.addAll, 400);
  await expect(lane.send(['a'])).rejects.toThrow('within 400 ms');
  // Timers fire in the order of their times, however busy the machine is.
  const first = await Promise.race([lane.send(['b']).catch(String), sleep(300)]);
  expect(first).toContain('has not answered');
  store.next().done();
  await turn();
  const third = lane.send(['c']);
  await turn();
  store.next().done();
  await third;
  expect(store.batches).toEqual([['a'], ['c']]);
});
