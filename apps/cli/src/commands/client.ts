import type { Key, NewKey } from '@replenish/domain';
import type { Command } from '../command.js';
import { withDomain } from './books.js';
import { newClientFrom } from './new-client.js';

/** Keys of producers. A secret is printed once; it is kept as a hash, and sealed. */
export const create: Command<'client create'> = async ({ values, env, say }) => {
  const asked = newClientFrom(values);
  const made = await withDomain(env, (domain) => domain.clients.create(asked));
  if (!values.json) say('Made a client. The secret is shown this once:');
  say(textOf(made, values.json));
  return 0;
};

export const list: Command<'client list'> = async ({ values, env, say }) => {
  const keys = await withDomain(env, (domain) => domain.clients.list());
  if (values.json)
    say(JSON.stringify(keys, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
  else for (const key of keys) say(lineOf(key));
  return 0;
};

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

export const rotate: Command<'client rotate'> = async ({ values, operand: keyId, env, say }) => {
  const made = await withDomain(env, (domain) => domain.clients.rotate(keyId));
  if (!made) throw notThere(keyId);
  if (!values.json) say('A new secret, shown this once. The one before is good for 24 hours more:');
  say(textOf(made, values.json));
  return 0;
};

export const revoke: Command<'client revoke'> = async ({ values, operand: keyId, env, say }) => {
  const revoked = await withDomain(env, (domain) => domain.clients.revoke(keyId));
  if (!revoked) throw notThere(keyId);
  say(
    values.json
      ? JSON.stringify({ keyId, revoked })
      : `revoked ${keyId}; it stops everywhere within a second`,
  );
  return 0;
};

const notThere = (keyId: string): Error => new Error(`no active key ${keyId}`);

const textOf = (key: NewKey, forMachines: boolean): string => JSON.stringify(key, null, forMachines ? 0 : 2);
