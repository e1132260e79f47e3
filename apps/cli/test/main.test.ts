import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from '@commander-js/extra-typings';
import { expect, test } from '@jest/globals';
import type { AnyCommand, CommandRun } from '../src/command.js';
import { programOf } from '../src/program.js';
import { run } from '../src/run.js';

const ENV = {
  PATH: process.env.PATH,
  REPLENISH_DIR: '/nowhere',
  DATABASE_URL: 'postgres://u:p@127.0.0.1:9/none',
  MASTER_KEYS: `a:${Buffer.alloc(32, 'master key').toString('base64')}`,
};

type Ended = Readonly<{ status: number | null; stdout: string; stderr: string }>;

/** Runs a command line in a process of its own. */
const spawned = (...args: string[]): Ended => {
  const script = join(import.meta.dirname, '../bin/replenish.mjs');
  return spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env: ENV, timeout: 60_000 });
};

/** Runs a command line in this process, because a process for each of them takes long. */
async function replenish(...args: string[]): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  const status = await run(args, {
    env: ENV,
    say: (line) => {
      stdout += `${line}\n`;
    },
    complain: (line) => {
      stderr += `${line}\n`;
    },
  });
  return { status, stdout, stderr };
}

test.each([[['--version']], [['strat']], [['verify', '--json']]])(
  '%j in a process of its own prints the same and has the same exit code',
  async (args) => {
    const { status, stdout, stderr } = spawned(...args);
    expect({ status, stdout, stderr }).toEqual(await replenish(...args));
  },
);

test('a long answer reaches a slow reader whole', async () => {
  const args = ['verify', '--json', 'x'.repeat(120_000)];
  const script = join(import.meta.dirname, '../bin/replenish.mjs');
  const shell = ['-c', '"$@" | { sleep 1; cat; }', 'sh', process.execPath, script, ...args];
  const { stdout } = spawnSync('sh', shell, { encoding: 'utf8', env: ENV, timeout: 60_000 });
  expect(stdout).toBe((await replenish(...args)).stdout);
});

test('an unknown command is named with a suggestion, on standard error, with exit code 2', async () => {
  for (const args of [[], ['strat'], ['constructor']]) {
    const { status, stdout, stderr } = await replenish(...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr.toLowerCase()).toContain('usage: replenish <command>');
  }
  expect((await replenish()).stderr).toMatch(/^no command given\n/);
  expect((await replenish('strat')).stderr).toMatch(/^unknown command 'strat' \(Did you mean start\?\)\n/);
});

test('the help lists every command with its purpose on standard output', async () => {
  const { status, stdout } = await replenish('--help');
  expect(status).toBe(0);
  const names = 'start demo client user case verify reconcile audit unlock rekey migrate completion';
  for (const name of names.split(' ')) expect(stdout).toMatch(new RegExp(`^ {2}${name}( .*)?  +\\w`, 'm'));
});

test('the version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  expect(await replenish('--version')).toMatchObject({ status: 0, stdout: `${version}\n` });
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
  async (args, first, form) => {
    const { status, stdout, stderr } = await replenish(...args);
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
])('%s %s %s with --json reports wrong arguments as JSON on standard output', async (...args) => {
  const { status, stdout, stderr } = await replenish(...args, '--json');
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
])('%j prints help and runs nothing', async (args, form) => {
  const { status, stdout, stderr } = await replenish(...args);
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
  async (command) => {
    const { status, stdout } = await replenish(command, '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toEqual({ ok: false, error: expect.stringContaining('does not answer') });
  },
);
