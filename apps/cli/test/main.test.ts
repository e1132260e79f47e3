import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { expect, test } from '@jest/globals';
import type { AnyCommand, CommandRun } from '../src/command.js';
import { programOf } from '../src/program.js';

const replenish = (...args: string[]) => {
  const script = join(import.meta.dirname, '../bin/replenish.mjs');
  const env = {
    PATH: process.env.PATH,
    REPLENISH_DIR: '/nowhere',
    DATABASE_URL: 'postgres://u:p@127.0.0.1:9/none',
    MASTER_KEYS: `a:${Buffer.alloc(32, 'master key').toString('base64')}`,
  };
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env, timeout: 15_000 });
};

test('an unknown command is named with a suggestion, on standard error, with exit code 2', () => {
  for (const args of [[], ['strat'], ['constructor']]) {
    const { status, stdout, stderr } = replenish(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.toLowerCase()).toContain('usage: replenish <command>');
  }
  expect(replenish().stderr).toMatch(/^no command given\n/);
  expect(replenish('strat').stderr).toMatch(/^unknown command 'strat' \(Did you mean start\?\)\n/);
});

test('the help lists every command with its purpose on standard output', () => {
  const { status, stdout } = replenish('--help');
  expect(status).toBe(0);
  const names = 'start demo client user case verify reconcile audit unlock rekey migrate completion';
  for (const name of names.split(' ')) expect(stdout).toMatch(new RegExp(`^ {2}${name}( .*)?  +\\w`, 'm'));
});

test('the version is that of the package', () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  expect(replenish('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
});

test.each([
  [['verify', '--jsno'], "unknown option '--jsno' (Did you mean --json?)", 'replenish verify [options]'],
  [['verify', 'extra'], 'unexpected argument: extra', 'replenish verify [options]'],
  [['verify', '--json=yes'], "unknown option '--json=yes'", 'replenish verify [options]'],
  [['start', '--frob'], "unknown option '--frob'", 'replenish start [options]'],
  [['demo', 'again'], 'unexpected argument: again', 'replenish demo [options]'],
  [['client'], 'replenish client: no command given', 'Usage: replenish client [options] [command]'],
  [
    ['client', 'crate'],
    "unknown command 'crate' (Did you mean create?)",
    'replenish client [options] [command]',
  ],
  [['client', 'list', 'extra'], 'unexpected argument: extra', 'replenish client list [options]'],
  [
    ['client', 'create', '--name', 'shop', '--scope', 'a'],
    "unknown option '--scope' (Did you mean --scopes?)",
    'replenish client create [options]',
  ],
  [['client', 'revoke'], "missing required argument 'keyId'", 'replenish client revoke [options] <keyId>'],
  [['client', 'revoke', 'a', 'b'], 'unexpected argument: b', 'replenish client revoke [options] <keyId>'],
  [['audit', 'dorp'], 'unexpected argument: dorp', 'replenish audit [options] [command]'],
  [
    ['audit', '--key', 'a', '--key', 'b'],
    "option '--key <keyId>' is given twice",
    'replenish audit [options]',
  ],
  [['audit', '--key', '--json'], "option '--key <keyId>' argument missing", 'replenish audit [options]'],
  [['audit', '--account'], "option '--account <accountId>' argument missing", 'replenish audit [options]'],
  [
    ['completion', 'csh'],
    "command-argument value 'csh' is invalid",
    'replenish completion [options] <shell>',
  ],
])(
  'wrong arguments %j are named in the first line, followed by the usage of the command; exit code 2',
  (args, first, form) => {
    const { status, stdout, stderr } = replenish(...args);
    expect(status).toBe(2);
    if (args.includes('--json')) {
      expect(JSON.parse(stdout)).toEqual({ ok: false, error: first });
      return;
    }
    expect(stdout).toBe('');
    expect(stderr.split('\n')[0]).toContain(first);
    expect(stderr).toContain(form);
    expect(stderr.match(/^usage: /gim)).toHaveLength(1);
  },
);

test.each([
  ['nonsense'],
  ['client'],
  ['verify', '--bogus'],
  ['unlock'],
  ['audit', '--limit', '0'],
  ['audit', 'drop'],
  ['client', 'create', '--name', 'shop'],
])('%s %s %s with --json reports wrong arguments as JSON on standard output', (...args) => {
  const { status, stdout, stderr } = replenish(...args, '--json');
  expect({ status, stderr }).toEqual({ status: 2, stderr: '' });
  expect(JSON.parse(stdout)).toEqual({ ok: false, error: expect.stringMatching(/\S/) });
});

test.each([
  [['verify', '--help'], 'Usage: replenish verify [options]'],
  [['start', '-h'], 'Usage: replenish start [options]'],
  [['client', '--help'], 'create [options]'],
  [['client', 'create', '--help'], 'Examples:'],
  [['help', 'unlock'], 'Usage: replenish unlock [options] <keyId>'],
  [['audit', 'drop', '--help'], '--before <month>'],
])('%j prints help and runs nothing', (args, form) => {
  const { status, stdout, stderr } = replenish(...args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(form);
});

test('every command, argument and option is described in the help', () => {
  const silent = (run: object) => ({
    ...run,
    env: {},
    say: () => {},
    complain: () => {},
    exitWith: () => {},
  });
  const fail = () => {
    throw new Error('nothing is parsed');
  };
  const undescribed = (command: AnyCommand): string[] => [
    ...[command, ...command.options, ...command.registeredArguments].flatMap((one) =>
      (one instanceof Command ? one.summary() || one.description() || one.parent === null : one.description)
        ? []
        : [`${command.name()}: ${one instanceof Command ? 'itself' : one.name()}`],
    ),
    ...command.commands.flatMap((one) => undescribed(one as AnyCommand)),
  ];
  expect(undescribed(programOf(silent({}) as CommandRun, fail))).toEqual([]);
});

test.each(['verify', 'migrate', 'rekey'])(
  '%s --json reports as JSON that the database does not answer',
  (command) => {
    const { status, stdout } = replenish(command, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ ok: false, error: expect.stringContaining('does not answer') });
  },
);
