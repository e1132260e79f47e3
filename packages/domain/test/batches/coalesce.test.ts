import { expect, test } from '@jest/globals';
import { coalesce } from '../../src/store/batches/coalesce.js';

/** A coalesced call whose statements end one by one, as the test says. */
function open(options: { inFlightMax: number; besideMin?: number; batchMax?: number }) {
  const started: { asks: readonly number[]; end: () => void }[] = [];
  const watching: (() => void)[] = [];
  const run = (asks: readonly number[]) =>
    new Promise<number[]>((resolve) => {
      started.push({ asks, end: () => resolve(asks.map((ask) => -ask)) });
      for (const look of watching.splice(0)) look();
    });
  const until = async (count: number): Promise<void> => {
    while (started.length < count) await new Promise<void>((resolve) => watching.push(resolve));
  };
  return { started, until, ask: coalesce<number, number>(run, { batchMax: 48, ...options }) };
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, n) => from + n);

/** Waits long enough for everything that starts without a timer. */
async function turnsOfTheLoop(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve));
}

test('a lone call starts at once, and the calls that arrive meanwhile share the next statement', async () => {
  const { started, until, ask } = open({ inFlightMax: 1 });
  const first = ask(1);
  await until(1);
  const others = numbers(2, 4).map(ask);
  await turnsOfTheLoop();
  expect(started.map(({ asks }) => asks)).toEqual([[1]]);
  started[0]!.end();
  await until(2);
  started[1]!.end();
  expect(await Promise.all([first, ...others])).toEqual([-1, -2, -3, -4]);
  expect(started.map(({ asks }) => asks)).toEqual([[1], [2, 3, 4]]);
});

test('a statement starts beside another only once enough calls wait', async () => {
  const { started, until, ask } = open({ inFlightMax: 2, besideMin: 5 });
  const calls = [ask(1)];
  await until(1);
  calls.push(...numbers(2, 5).map(ask));
  await turnsOfTheLoop();
  expect(started).toHaveLength(1);
  calls.push(ask(6));
  await until(2);
  calls.push(...numbers(7, 20).map(ask));
  await turnsOfTheLoop();
  expect(started.map(({ asks }) => asks)).toEqual([[1], numbers(2, 6)]);
  started[1]!.end();
  await until(3);
  for (const { end } of started) end();
  expect(await Promise.all(calls)).toEqual(numbers(1, 20).map((n) => -n));
});

test('a small batch does not wait for a statement that does not end', async () => {
  const { started, until, ask } = open({ inFlightMax: 2, besideMin: 5 });
  const held = ask(1);
  await until(1);
  const small = [ask(2), ask(3)];
  await until(2);
  started[1]!.end();
  expect(await Promise.all(small)).toEqual([-2, -3]);
  const next = ask(4);
  await until(3);
  started[2]!.end();
  expect(await next).toBe(-4);
  started[0]!.end();
  expect(await held).toBe(-1);
});

test('a batch holds at most as many calls as may share a statement', async () => {
  const { started, until, ask } = open({ inFlightMax: 2, besideMin: 2, batchMax: 3 });
  const calls = numbers(1, 7).map(ask);
  await until(2);
  for (const { end } of started) end();
  await until(3);
  started[2]!.end();
  expect(await Promise.all(calls)).toEqual(numbers(1, 7).map((n) => -n));
  expect(started.map(({ asks }) => asks.length)).toEqual([3, 3, 1]);
});
