import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { openLineOutput } from '../../src/observe/line-output.js';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'line-output-'));
});
afterAll(() => rm(dir, { recursive: true }));

test('lines are written in batches, whole and in order', () => {
  const file = join(dir, 'lines');
  const fd = openSync(file, 'w');
  const output = openLineOutput(fd);
  const lines = Array.from({ length: 2_000 }, (_, n) => `${n} ${'x'.repeat(n % 97)}\n`);
  for (const line of lines) output.write(line);
  expect(readFileSync(file, 'utf8').length).toBeLessThan(lines.join('').length);
  output.flushSync();
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''));
  closeSync(fd);
});

test('lines that cannot be written are dropped, and their count is logged once writing works again', () => {
  const file = join(dir, 'again');
  const fd = openSync('/dev/full', 'w');
  const output = openLineOutput(fd);
  const write = (line: string) => {
    output.write(line);
    output.flush();
  };
  for (let n = 0; n < 3; n++) write('lost\n');
  closeSync(fd);
  // The system reuses the lowest free descriptor number, so `fd` is now a file that can be written.
  expect(openSync(file, 'w')).toBe(fd);
  const later = jest.spyOn(performance, 'now').mockReturnValue(performance.now() + 60_000);
  write('last\n');
  later.mockRestore();
  closeSync(fd);
  const [torn, lossReport, last] = readFileSync(file, 'utf8').split('\n');
  expect([torn, JSON.parse(lossReport!), last]).toMatchObject(['', { level: 'error', lost: 3 }, 'last']);
});

const program = join(import.meta.dirname, 'logs.mjs');

test.each([
  ['natural', 0],
  ['exit', 3],
  ['fatal', 0],
  ['throw', 1],
])('a process that ends by %s has written all of its log lines', (how, code) => {
  const { stdout, status } = spawnSync(process.execPath, [program, how], { encoding: 'utf8' });
  expect(status).toBe(code);
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
  ).toEqual(['first', 'last']);
});

test('a process whose log cannot be written runs on and ends normally', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [program, 'natural'], {
    stdio: ['ignore', full, 'pipe'],
    timeout: 20_000,
  });
  expect([status, String(stderr)]).toEqual([0, '']);
  closeSync(full);
});
