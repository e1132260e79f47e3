import type { Key } from '@replenish/domain';
import { covers } from '@replenish/domain/rules';

export const coversAccount = (key: Key, accountId: string): boolean =>
  key.accounts.some((pattern) => covers(pattern, accountId));

export const coversEveryAccount = (key: Key): boolean => key.accounts.includes('*');

/** The same pattern for SQL's LIKE. */
export const likeOf = (pattern: string): string => pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
