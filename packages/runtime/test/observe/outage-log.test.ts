import { afterEach, expect, jest, test } from '@jest/globals';
import type { Logger } from '../../src/observe/log.js';
import { openOutageLog } from '../../src/observe/outage-log.js';

afterEach(() => {
  jest.useRealTimers();
});

function open() {
  jest.useFakeTimers();
  const lines: [object, string][] = [];
  const log = {
    warn: (fields: object, message: string) => lines.push([fields, message]),
  } as unknown as Logger;
  return { lines, outage: openOutageLog(log, 'the store is away') };
}

test('an outage logs one line at its beginning and one with the count at its end', () => {
  const { lines, outage } = open();
  const error = new Error('away');
  for (let n = 0; n < 1_000; n++) outage.failed(error, { correlationId: `c${n}` });
  expect(lines).toEqual([[{ err: error, correlationId: 'c0' }, 'the store is away']]);
  outage.worked();
  outage.worked();
  expect(lines.slice(1)).toEqual([
    [{ failed: 1_000, outageMs: expect.any(Number) }, 'the store is away: over'],
  ]);
});

test('an outage without a success ends after a quiet time, and the next outage is logged again', () => {
  const { lines, outage } = open();
  for (let n = 0; n < 4; n++) {
    outage.failed(new Error('away'));
    jest.advanceTimersByTime(4_000);
  }
  expect(lines).toHaveLength(1);
  jest.advanceTimersByTime(5_000);
  expect(lines[1]).toEqual([expect.objectContaining({ failed: 4 }), 'the store is away: over']);
  outage.failed(new Error('away again'));
  expect(lines).toHaveLength(3);
});
