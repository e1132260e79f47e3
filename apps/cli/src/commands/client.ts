import { parseArgs } from 'node:util';
import type { Key, NewKey } from '@replenish/domain';
import type { Call, Command } from '../command.js';
import { withDomain } from './books.js';

const usage = `usage:
  replenish client create --name N --scopes a,b --accounts p,q [--env test] [--allow-s3] [--require-signature] [--rate-limit N]
  replenish client list
  replenish client rotate <keyId>
  replenish client revoke <keyId>
scopes: recharges:write, recharges:read, balances:read. accounts: patterns with * as wildcard.`;

const scopes = new Set(['recharges:write', 'recharges:read', 'balances:read']);

/** Keys of producers. A secret is printed once; only its hash is kept. */
export const client: Command = (call) => {
  const [verb = '', ...args] = call.args;
  const run = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  return run ? run({ ...call, args }) : refuse(call, verb === '--help' ? '' : `unknown: client ${verb}`);
};

function refuse(call: Call, why: string): Promise<number> {
  call.complain(why ? `${why}\n\n${usage}` : usage);
  return Promise.resolve(2);
}

async function create(call: Call): Promise<number> {
  const { values } = parseArgs({
    args: [...call.args],
    options: {
      name: { type: 'string' },
      scopes: { type: 'string' },
      accounts: { type: 'string' },
      env: { type: 'string', default: 'test' },
      'allow-s3': { type: 'boolean', default: false },
      'require-signature': { type: 'boolean', default: false },
      'rate-limit': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (!values.name || !values.scopes || !values.accounts)
    return refuse(call, '--name, --scopes and --accounts are needed');
  const asked = { scopes: values.scopes.split(','), accounts: values.accounts.split(',') };
  const unknown = asked.scopes.filter((scope) => !scopes.has(scope));
  if (unknown.length > 0) return refuse(call, `unknown scopes: ${unknown.join(', ')}`);
  if (!asked.accounts.every((pattern) => /^[A-Za-z0-9._:*-]{1,64}$/.test(pattern)))
    return refuse(call, 'bad account pattern');
  if (!/^[a-z0-9]{1,16}$/.test(values.env)) return refuse(call, '--env is 1 to 16 of a-z 0-9');
  const rateLimit = values['rate-limit'];
  if (rateLimit !== undefined && !/^[1-9]\d{0,6}$/.test(rateLimit))
    return refuse(call, '--rate-limit is a number a minute');
  const made = await withDomain(call.env, (domain) =>
    domain.clients.create({
      name: values.name!,
      env: values.env,
      ...asked,
      allowS3: values['allow-s3'],
      requireSignature: values['require-signature'],
      rateLimitPerMinute: rateLimit === undefined ? null : Number(rateLimit),
    }),
  );
  sayKey(call, made, 'Made a client. The secret is shown this once:');
  return 0;
}

async function list(call: Call): Promise<number> {
  const keys = await withDomain(call.env, (domain) => domain.clients.list());
  if (call.args.includes('--json')) call.say(JSON.stringify(keys));
  else for (const key of keys) call.say(lineOf(key));
  return 0;
}

const lineOf = (key: Key): string =>
  [
    key.keyId.padEnd(28),
    (key.revokedAt ? 'revoked' : 'active').padEnd(8),
    key.clientName.padEnd(16),
    key.scopes.join(','),
    key.accounts.join(','),
  ].join('  ');

async function rotate(call: Call): Promise<number> {
  const keyId = call.args.find((arg) => !arg.startsWith('--'));
  if (!keyId) return refuse(call, 'which key?');
  const made = await withDomain(call.env, (domain) => domain.clients.rotate(keyId));
  if (!made) return notThere(call, keyId);
  sayKey(call, made, 'A new secret, shown this once. The one before is good for 24 hours more:');
  return 0;
}

async function revoke(call: Call): Promise<number> {
  const keyId = call.args.find((arg) => !arg.startsWith('--'));
  if (!keyId) return refuse(call, 'which key?');
  const revoked = await withDomain(call.env, (domain) => domain.clients.revoke(keyId));
  if (!revoked) return notThere(call, keyId);
  call.say(
    call.args.includes('--json')
      ? JSON.stringify({ keyId, revoked })
      : `revoked ${keyId}; it stops everywhere within a second`,
  );
  return 0;
}

const verbs: Readonly<Record<string, (call: Call) => Promise<number>>> = { create, list, rotate, revoke };

function notThere(call: Call, keyId: string): number {
  call.complain(`no active key ${keyId}`);
  return 1;
}

function sayKey(call: Call, key: NewKey, heading: string): void {
  const forMachines = call.args.includes('--json');
  if (!forMachines) call.say(heading);
  call.say(JSON.stringify(key, null, forMachines ? 0 : 2));
}
