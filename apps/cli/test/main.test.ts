import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const replenish = (...args: string[]) => {
  const script = join(import.meta.dirname, '../bin/replenish.mjs');
  const env = {
    PATH: process.env.PATH,
    REPLENISH_DIR: '/nowhere',
    DATABASE_URL: 'postgres://u:p@127.0.0.1:9/none',
  };
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env, timeout: 15_000 });
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

test.each([
  [['verify', '--jsno'], "Unknown option '--jsno'", 'replenish verify [--json]'],
  [['verify', 'extra'], 'unexpected argument: extra', 'replenish verify [--json]'],
  [['verify', '--json=yes'], "Option '--json' does not take an argument", 'replenish verify [--json]'],
  [['start', '--json'], "Unknown option '--json'", 'replenish start'],
  [['demo', 'again'], 'unexpected argument: again', 'replenish demo'],
  [['migrate', '--frob'], "Unknown option '--frob'", 'replenish migrate'],
  [['client'], 'client what?', 'replenish client rotate <keyId>'],
  [['client', 'destroy'], 'unknown: client destroy', 'replenish client rotate <keyId>'],
  [['client', 'list', 'extra'], 'unexpected argument: extra', 'replenish client list'],
  [['client', 'create', '--bogus'], "Unknown option '--bogus'", 'replenish client create --name N'],
  [
    ['client', 'create', '--rate-limit', '-5'],
    "Option '--rate-limit' argument is ambiguous",
    '--rate-limit N',
  ],
  [['client', 'revoke'], '<keyId> is missing', 'replenish client revoke <keyId>'],
  [['client', 'revoke', 'a', 'b'], 'unexpected argument: b', 'replenish client revoke <keyId>'],
  [['unlock'], '<keyId> is missing', 'replenish unlock <keyId>'],
  [['audit', 'dorp'], 'unexpected argument: dorp', 'replenish audit drop --before'],
  [['dashboard-password', '-j'], "Unknown option '-j'", 'replenish dashboard-password'],
])('the misuse %j is named in the first line, the usage follows, exit code 2', (args, first, form) => {
  const { status, stdout, stderr } = replenish(...args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr.split('\n')[0]).toBe(first);
  expect(stderr).toContain(form);
});

test.each([
  [['verify', '--help'], 'replenish verify [--json]'],
  [['start', '-h'], 'replenish start'],
  [['client', '--help'], 'replenish client create --name N'],
  [['client', 'list', '--help'], 'replenish client list'],
  [['audit', '--help'], 'replenish audit drop --before 2026-01'],
])('%j is told what the command takes, and runs nothing', (args, form) => {
  const { status, stdout, stderr } = replenish(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(form);
});

test.each(['verify', 'migrate', 'rekey'])('%s --json says in JSON that the database is away', (command) => {
  const { status, stdout } = replenish(command, '--json');
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toEqual({ ok: false, error: expect.stringContaining('does not answer') });
});
