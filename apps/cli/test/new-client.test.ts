import { expect, test } from '@jest/globals';
import { Misuse, parseCommandLine, type Values } from '../src/arguments.js';
import { newClientFrom } from '../src/commands/new-client.js';

const needed = ['--name', 'shop', '--scopes', 'recharges:write,recharges:read', '--accounts', 'acct-10*,b'];

const clientOf = (args: readonly string[]) => {
  const { values } = parseCommandLine(['client', 'create', ...args]) as { values: Values<'client create'> };
  return newClientFrom(values);
};

test('a client with nothing said is a test client without limits', () => {
  expect(clientOf(needed)).toEqual({
    name: 'shop',
    env: 'test',
    scopes: ['recharges:write', 'recharges:read'],
    accounts: ['acct-10*', 'b'],
    allowS3: false,
    allowBearer: false,
    requireSignature: false,
    oauthSubject: null,
    rateLimitPerMinute: null,
    expiresAt: null,
    ipAllow: [],
    ceilings: {},
  });
});

test('every limit is taken as it is written', () => {
  const flags =
    '--env live --allow-s3 --allow-bearer --require-signature --oauth-subject shop@clients --rate-limit 60';
  const limits = '--expires 2027-01-31T00:00:00+08:00 --ip-allow 192.0.2.7,10.0.0.0/8,2001:db8::/32';
  const ceilings = '--ceiling USD:100000:1000000 --ceiling JPY::5 --ceiling EUR:7';
  expect(clientOf([...needed, ...`${flags} ${limits} ${ceilings} --json`.split(' ')])).toMatchObject({
    env: 'live',
    allowS3: true,
    allowBearer: true,
    requireSignature: true,
    oauthSubject: 'shop@clients',
    rateLimitPerMinute: 60,
    expiresAt: new Date('2027-01-30T16:00:00Z'),
    ipAllow: ['192.0.2.7', '10.0.0.0/8', '2001:db8::/32'],
    ceilings: {
      USD: { requestMinor: 100_000n, dayMinor: 1_000_000n },
      JPY: { requestMinor: null, dayMinor: 5n },
      EUR: { requestMinor: 7n, dayMinor: null },
    },
  });
});

test.each([
  ['--scopes', 'recharges:all'],
  ['--accounts', 'acct 1'],
  ['--env', 'Live'],
  ['--rate-limit', '0'],
  ['--rate-limit', 'many'],
  ['--expires', 'tomorrow'],
  ['--expires', '2027-01-31'],
  ['--expires', '2027-13-31T00:00:00Z'],
  ['--ip-allow', '10.0.0.0/33'],
  ['--ip-allow', 'localhost'],
  ['--ip-allow', '10.0.0.1,'],
  ['--ceiling', 'USD'],
  ['--ceiling', 'USD:'],
  ['--ceiling', 'USD::'],
  ['--ceiling', 'usd:1'],
  ['--ceiling', 'USD:1.5'],
  ['--ceiling', 'USD:-1'],
  ['--ceiling', 'USD:1:2:3'],
])('%s %s is refused, and named', (flag, value) => {
  const make = () => clientOf([...needed, flag, value]);
  expect(make).toThrow(Misuse);
  expect(make).toThrow(flag === '--accounts' ? /account pattern/ : new RegExp(flag));
});

test.each(['--name', '--scopes', '--accounts'])('%s is needed', (flag) => {
  const at = needed.indexOf(flag);
  expect(() => clientOf(needed.toSpliced(at, 2))).toThrow(flag);
});
