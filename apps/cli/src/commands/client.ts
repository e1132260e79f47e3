import type { Key, NewKey } from '@replenish/domain';
import type { Call, Command } from '../command.js';
import { withDomain } from './books.js';
import { newClientFrom } from './new-client.js';

const usage = `usage:
  replenish client create --name N --scopes a,b --accounts p,q [--env test] [--rate-limit N]
    [--require-signature] [--allow-bearer] [--allow-s3] [--oauth-subject S]
    [--expires <RFC 3339>] [--ip-allow 10.0.0.0/8,...] [--ceiling <currency>:<a request>:<a day>]...
  replenish client list
  replenish client rotate <keyId>
  replenish client revoke <keyId>
scopes: recharges:write, recharges:read, balances:read, audit:read. accounts: patterns with * as wildcard.
ceilings: minor units; either number may be left out. docs/authentication.md has the rest.`;

/** Keys of producers. A secret is printed once; it is kept as a hash, and sealed. */
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
  const asked = newClientFrom(call.args);
  if (typeof asked === 'string') return refuse(call, asked);
  const made = await withDomain(call.env, (domain) => domain.clients.create(asked));
  sayKey(call, made, 'Made a client. The secret is shown this once:');
  return 0;
}

async function list(call: Call): Promise<number> {
  const keys = await withDomain(call.env, (domain) => domain.clients.list());
  if (call.args.includes('--json'))
    call.say(JSON.stringify(keys, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
  else for (const key of keys) call.say(lineOf(key));
  return 0;
}

const stateOf = ({ revokedAt, expiresAt, lockedUntil }: Key): string => {
  if (revokedAt) return 'revoked';
  if (expiresAt && expiresAt <= new Date()) return 'expired';
  return lockedUntil && lockedUntil > new Date() ? 'locked' : 'active';
};

const lineOf = (key: Key): string =>
  [
    key.keyId.padEnd(28),
    stateOf(key).padEnd(8),
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
