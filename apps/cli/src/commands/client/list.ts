import { Command } from '@commander-js/extra-typings';
import type { Key } from '@replenish/domain';
import { withDomain } from '../../books.js';
import { type Declare, JSON_ABOUT } from '../../command.js';
import { tableOf } from '../../table.js';

export const list: Declare = ({ env, say, paint }) =>
  new Command('list')
    .description('list all keys with their clients')
    .option('--json', JSON_ABOUT)
    .action(async ({ json }) => {
      const keys = await withDomain(env, (domain) => domain.clients.list());
      if (json) say(JSON.stringify(keys, (_, value) => (typeof value === 'bigint' ? Number(value) : value)));
      else if (keys.length === 0) say('no client yet: `replenish client create --help` says how to make one');
      else say(tableOf(HEADS, keys.map(rowOf), paint));
    });

const HEADS = ['CLIENT', 'CLIENT ID', 'KEY ID', 'ENV', 'STATE', 'SCOPES', 'ACCOUNTS'];

const rowOf = (key: Key): string[] => [
  key.clientName,
  key.clientId,
  key.keyId,
  key.env,
  stateOf(key),
  key.scopes.join(','),
  key.accounts.join(','),
];

function stateOf({ revokedAt, expiresAt, lockedUntil }: Key): string {
  if (revokedAt) return 'revoked';
  if (expiresAt && expiresAt <= new Date()) return 'expired';
  return lockedUntil && lockedUntil > new Date() ? 'locked' : 'active';
}
