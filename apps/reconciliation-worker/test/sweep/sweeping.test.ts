import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { createLogger, openRegistry } from '@replenish/runtime';
import { until } from '@replenish/testing';
import { type Sweeping, type SweepingDeps, startSweeping } from '../../src/sweep/sweeping.js';

const LIMIT = { limitMs: 10_000 };

let registry: ReturnType<typeof openRegistry>;
let sweeping: Sweeping | undefined;
beforeEach(() => {
  registry = openRegistry('reconciliation-worker');
});
afterEach(async () => {
  jest.restoreAllMocks();
  await sweeping?.close();
});

function start(over: Partial<SweepingDeps> & Pick<SweepingDeps, 'sweep'>): Sweeping {
  sweeping = startSweeping({ everyMs: 20, log: createLogger('test', 'silent'), registry, ...over });
  return sweeping;
}

/** A sweep that counts its runs. */
function counted(isMore = false) {
  const runs = { sweeps: 0 };
  return { runs, sweep: async () => ({ taken: ++runs.sweeps, isMore }) };
}

const ageSeconds = async () =>
  (await registry.getSingleMetric('replenish_last_sweep_seconds')!.get()).values[0]!.value;

test('a clock that is set back by an hour does not stop the sweeps', async () => {
  const { runs, sweep } = counted();
  start({ sweep });
  await until(() => runs.sweeps >= 2, LIMIT, 'sweeps by the right clock');
  const right = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => right() - 3_600_000);
  const before = runs.sweeps;
  await until(() => runs.sweeps >= before + 3, LIMIT, 'sweeps by the wrong clock');
  expect(await ageSeconds()).toBeLessThan(10);
});

test('after a failed sweep the next one follows, and only successful sweeps count', async () => {
  let sweeps = 0;
  const { check } = start({
    sweep: async () => {
      sweeps++;
      throw new Error('as tested');
    },
    lateAfterMs: 200,
  });
  check();
  await until(() => sweeps >= 5 && isLate(check), LIMIT, 'sweeps that failed');
  expect(await ageSeconds()).toBeGreaterThan(0.2);
  expect(check).toThrow(/^the last sweep ended \d+ s ago/);
});

test('sweeps never overlap, and the check reports one that hangs', async () => {
  let release = () => {};
  let sweeps = 0;
  const { check } = start({
    sweep: () =>
      new Promise((resolve) => {
        sweeps++;
        release = () => resolve({ taken: 0, isMore: false });
      }),
    lateAfterMs: 200,
  });
  await until(() => isLate(check), LIMIT, 'the hanging sweep is reported');
  expect(sweeps).toBe(1);
  release();
  await until(() => !isLate(check), LIMIT, 'it has ended');
  await until(() => sweeps === 2, LIMIT, 'the next one');
  release();
});

test('when a queue was full, the next sweep starts before the period ends', async () => {
  const { runs, sweep } = counted(true);
  start({ sweep, everyMs: 600_000 });
  await until(() => runs.sweeps >= 3, LIMIT, 'sweeps before the period');
  expect(await ageSeconds()).toBeLessThan(5);
});

test('hurry starts a sweep at once, and no sweep starts after close', async () => {
  const { runs, sweep } = counted();
  const { hurry, close } = start({ sweep, everyMs: 600_000 });
  await until(() => runs.sweeps === 1, LIMIT, 'the first sweep');
  await until(
    () => {
      hurry();
      return runs.sweeps >= 2;
    },
    LIMIT,
    'the hurried sweep',
  );
  await close();
  const before = runs.sweeps;
  hurry();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(runs.sweeps).toBe(before);
});

function isLate(check: () => void): boolean {
  try {
    check();
    return false;
  } catch {
    return true;
  }
}
