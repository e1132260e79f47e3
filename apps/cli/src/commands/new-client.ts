import { isIP } from 'node:net';
import type { Ceiling, NewClient } from '@replenish/domain';
import { Misuse, type Values } from '../arguments.js';
import { scopes } from '../scopes.js';

type Asked = Values<'client create'>;

/** The client that a command line describes. @throws Misuse that says what is wrong with it */
export function newClientFrom(values: Asked): NewClient {
  const fault = faults.find(([isWrong]) => isWrong(values))?.[1];
  if (fault !== undefined) throw new Misuse(fault);
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

const faults: readonly (readonly [isWrong: (values: Asked) => boolean, message: string])[] = [
  [(v) => !v.name || !v.scopes || !v.accounts, '--name, --scopes and --accounts are needed'],
  [(v) => listOf(v.scopes).some((scope) => !scopes.includes(scope)), `--scopes are ${scopes.join(', ')}`],
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
