import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { Ceiling, NewClient } from '@replenish/domain';

const scopes = new Set(['recharges:write', 'recharges:read', 'balances:read', 'audit:read']);

const options = {
  name: { type: 'string' },
  scopes: { type: 'string' },
  accounts: { type: 'string' },
  env: { type: 'string', default: 'test' },
  'allow-s3': { type: 'boolean', default: false },
  'allow-bearer': { type: 'boolean', default: false },
  'require-signature': { type: 'boolean', default: false },
  'oauth-subject': { type: 'string' },
  'rate-limit': { type: 'string' },
  expires: { type: 'string' },
  'ip-allow': { type: 'string' },
  ceiling: { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
} as const;

const parse = (args: readonly string[]) => parseArgs({ args: [...args], options }).values;
type Values = ReturnType<typeof parse>;

/** The client that a command line describes, or what is wrong with it. */
export function newClientFrom(args: readonly string[]): NewClient | string {
  const values = parse(args);
  const fault = faultIn(values);
  if (fault !== undefined) return fault;
  return {
    name: values.name!,
    env: values.env,
    scopes: listOf(values.scopes),
    accounts: listOf(values.accounts),
    allowS3: values['allow-s3'],
    allowBearer: values['allow-bearer'],
    requireSignature: values['require-signature'],
    oauthSubject: values['oauth-subject'] ?? null,
    rateLimitPerMinute: values['rate-limit'] === undefined ? null : Number(values['rate-limit']),
    expiresAt: values.expires === undefined ? null : new Date(values.expires),
    ipAllow: listOf(values['ip-allow']),
    ceilings: Object.fromEntries((values.ceiling ?? []).map(ceilingFrom)),
  };
}

const faultIn = (values: Values): string | undefined => faults.find(([isWrong]) => isWrong(values))?.[1];

const faults: readonly (readonly [isWrong: (values: Values) => boolean, message: string])[] = [
  [(v) => !v.name || !v.scopes || !v.accounts, '--name, --scopes and --accounts are needed'],
  [(v) => listOf(v.scopes).some((scope) => !scopes.has(scope)), `--scopes are ${[...scopes].join(', ')}`],
  [
    (v) => !listOf(v.accounts).every((pattern) => /^[A-Za-z0-9._:*-]{1,64}$/.test(pattern)),
    'bad account pattern',
  ],
  [(v) => !/^[a-z0-9]{1,16}$/.test(v.env), '--env is 1 to 16 of a-z 0-9'],
  [(v) => !/^([1-9]\d{0,6})?$/.test(v['rate-limit'] ?? ''), '--rate-limit is a number a minute'],
  [(v) => v.expires !== undefined && !isTime(v.expires), '--expires is a time like 2027-01-31T00:00:00Z'],
  [
    (v) => !listOf(v['ip-allow']).every(isNetwork),
    '--ip-allow is a list of addresses and networks like 10.0.0.0/8',
  ],
  [
    (v) => !(v.ceiling ?? []).every((one) => /^[A-Z]{3}:(?=.*\d)(\d{1,15})?(:(\d{1,15})?)?$/.test(one)),
    '--ceiling is <currency>:<minor units a request>:<minor units a day>',
  ],
];

const listOf = (text: string | undefined): string[] => (text ? text.split(',') : []);

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text));

function isNetwork(text: string): boolean {
  const [, address = '', prefix = '0'] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(prefix) <= (version === 4 ? 32 : 128);
}

function ceilingFrom(text: string): [currency: string, ceiling: Ceiling] {
  const [currency = '', request, day] = text.split(':');
  return [currency, { requestMinor: minorOf(request), dayMinor: minorOf(day) }];
}

const minorOf = (digits: string | undefined): bigint | null => (digits ? BigInt(digits) : null);
