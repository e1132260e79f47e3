import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const replenish = (...args: string[]) => {
  const script = join(import.meta.dirname, '../bin/replenish.mjs');
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' });
};

test('an unknown command is answered with the usage on standard error, exit code 2', () => {
  for (const args of [[], ['strat'], ['constructor']]) {
    const { status, stdout, stderr } = replenish(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('usage: replenish <command>');
  }
  expect(replenish('strat').stderr).toContain('unknown command: strat');
});

test('help is asked for, so it goes to standard output', () => {
  const { status, stdout } = replenish('--help');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^ {2}start +start everything on this machine$/m);
});
