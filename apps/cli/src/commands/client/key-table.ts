import type { Key } from '@replenish/domain';
import type { Terminal } from '../../command.js';
import { tableOf } from '../../table.js';

const HEADS = ['CLIENT', 'CLIENT ID', 'KEY ID', 'ENV', 'STATE', 'SCOPES', 'ACCOUNTS'];

export const tableOfKeys = (keys: readonly Key[], paint: Terminal['paint']): string =>
  tableOf(HEADS, keys.map(rowOf), paint);

/** Ceilings are below 2^53 (see values.ts), so JSON numbers are exact. */
export const asJson = (keys: Key | readonly Key[]): string =>
  JSON.stringify(keys, (_, value) => (typeof value === 'bigint' ? Number(value) : value));

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
