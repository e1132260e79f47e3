import type { Key } from '@replenish/domain';
import { covers, readsAllClients } from '@replenish/domain/rules';

/** The client whose recharges and cases the key reads. Null: it reads those of all clients. */
export const readClient = ({ clientId, scopes }: Key): string | null =>
  readsAllClients(scopes) ? null : clientId;

export const coversAccount = (key: Key, accountId: string): boolean =>
  key.accounts.some((pattern) => covers(pattern, accountId));

export const coversEveryAccount = (key: Key): boolean => key.accounts.includes('*');

/** The pattern of an account in the form of SQL's LIKE. */
export const likeOf = (pattern: string): string => pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
