import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import { keepSmall, lastFault, lastLines } from '../../src/start/logs.js';

let dir: string;
let log: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'replenish-logs-'));
  log = join(dir, 'worker.log');
});
afterEach(() => rmSync(dir, { recursive: true }));

test('a large log is moved aside while its process goes on writing into the same file', async () => {
  const file = openSync(log, 'a');
  const stop = keepSmall(dir, { sizeMaxBytes: 1_000, everyMs: 5 });
  for (const nth of ['first', 'second']) {
    writeSync(file, `${nth} ${'x'.repeat(2_000)}\n`);
    await until(() => statSync(log).size === 0, { limitMs: 30_000 }, `${nth} log put aside`);
    expect(readFileSync(`${log}.1`, 'utf8')).toMatch(new RegExp(`^${nth} x+\n$`));
  }
  stop();
  writeSync(file, 'last words\n');
  closeSync(file);
  expect(readFileSync(log, 'utf8')).toBe('last words\n');
});

test('the last lines of a log are read without the rest of it', () => {
  truncateSync(openedEmpty(log), 3 * 1024 ** 3);
  const file = openSync(log, 'a');
  writeSync(file, '\none\n{"level":"fatal","msg":"no such \u00e9"}\n');
  closeSync(file);
  expect(lastLines(log, 2)).toBe('one\n{"level":"fatal","msg":"no such \u00e9"}');
  expect(lastFault(log)).toBe('no such \u00e9');
  expect(lastLines(join(dir, 'none'), 2)).toBe('');
});

function openedEmpty(path: string): string {
  closeSync(openSync(path, 'a'));
  return path;
}
