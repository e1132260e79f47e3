import { expect, test } from '@jest/globals';
import { run } from '../src/run.js';
import * as values from '../src/values.js';

const needed = ['--name', 'shop', '--scopes', 'recharges:write,recharges:read', '--accounts', 'acct-10*,b'];

/** Runs `client create` without a database. Valid arguments fail with exit code 1, wrong ones with 2. */
async function create(args: readonly string[]): Promise<{ exitCode: number; error: string }> {
  const lines: string[] = [];
  const exitCode = await run(['client', 'create', ...args, '--json'], {
    env: { DATABASE_URL: 'postgres://u:p@127.0.0.1:9/none', REPLENISH_DIR: '/nowhere' },
    say: (line) => void lines.push(line),
    complain: () => {},
  });
  return { exitCode, error: (JSON.parse(lines[0]!) as { error: string }).error };
}

test('all limits can be set together', async () => {
  const flags =
    '--env live --allow-s3 --allow-bearer --require-signature --oauth-subject shop@clients --rate-limit 60';
  const limits = '--expires 2127-01-31T00:00:00+08:00 --ip-allow 192.0.2.7,10.0.0.0/8,2001:db8::/32';
  const ceilings = '--ceiling USD:100000:1000000 --ceiling JPY::5 --ceiling EUR:7';
  const { exitCode, error } = await create([...needed, ...`${flags} ${limits} ${ceilings}`.split(' ')]);
  expect({ exitCode, error }).toEqual({ exitCode: 1, error: expect.stringContaining('does not answer') });
});

test.each([
  ['--name', ''],
  ['--name', 'bad/name'],
  ['--name', ' shop'],
  ['--name', 'shop\n'],
  ['--name', 'x'.repeat(65)],
  ['--scopes', 'recharges:all'],
  ['--scopes', ''],
  ['--scopes', 'recharges:read,'],
  ['--accounts', 'acct 1'],
  ['--accounts', ''],
  ['--accounts', 'a,,b'],
  ['--env', 'Live'],
  ['--env', 'prod'],
  ['--env', 'staging'],
  ['--rate-limit', '0'],
  ['--rate-limit', '-5'],
  ['--rate-limit', '1.5'],
  ['--rate-limit', '1000001'],
  ['--rate-limit', 'many'],
  ['--expires', 'tomorrow'],
  ['--expires', '2127-13-31T00:00:00Z'],
  ['--expires', '2127-02-29T00:00:00Z'],
  ['--expires', '2020-01-01'],
  ['--oauth-subject', ''],
  ['--oauth-subject', 'a\nb'],
  ['--ip-allow', '10.0.0.0/33'],
  ['--ip-allow', 'localhost'],
  ['--ip-allow', '10.0.0.1,'],
  ['--ceiling', 'USD'],
  ['--ceiling', 'USD:'],
  ['--ceiling', 'USD::'],
  ['--ceiling', 'usd:1'],
  ['--ceiling', 'ZZZ:1'],
  ['--ceiling', 'HRK:1'],
  ['--ceiling', 'XAU:1'],
  ['--ceiling', 'USD:1.5'],
  ['--ceiling', 'USD:-1'],
  ['--ceiling', 'USD:0'],
  ['--ceiling', 'USD:1:2:3'],
  ['--ceiling', 'USD:2:1'],
  ['--ceiling', 'USD:9007199254740992'],
  ['--ceiling', 'USD:99999999999999999999'],
])('%s %j is refused by name', async (flag, value) => {
  const at = needed.indexOf(flag);
  const others = at < 0 ? needed : needed.toSpliced(at, 2);
  const { exitCode, error } = await create([...others, flag, value]);
  expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining(flag) });
});

test.each(['--name', '--scopes', '--accounts'])('%s is needed', async (flag) => {
  const { exitCode, error } = await create(needed.toSpliced(needed.indexOf(flag), 2));
  expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining(flag) });
});

test('a currency has one ceiling', async () => {
  const { exitCode, error } = await create([...needed, '--ceiling', 'USD:1', '--ceiling', 'USD:2']);
  expect({ exitCode, error }).toEqual({ exitCode: 2, error: expect.stringContaining('USD has a ceiling') });
});

test('amounts and times are taken as they are written', () => {
  expect(values.ceiling('USD:100000:1000000', values.ceiling('JPY::5'))).toEqual({
    USD: { requestMinor: 100_000n, dayMinor: 1_000_000n },
    JPY: { requestMinor: null, dayMinor: 5n },
  });
  expect(values.ceiling('EUR:9007199254740991')).toEqual({
    EUR: { requestMinor: 9_007_199_254_740_991n, dayMinor: null },
  });
  expect(values.time('2027-01-31T00:00:00+08:00')).toEqual(new Date('2027-01-30T16:00:00Z'));
  expect(values.time('2027-01-31')).toEqual(new Date('2027-01-31T00:00:00Z'));
  expect(values.clientName('广州 shop_1')).toBe('广州 shop_1');
});
