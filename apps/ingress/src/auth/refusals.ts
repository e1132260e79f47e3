import type { Ceiling, Key, SecurityRule } from '@replenish/domain';
import { Problem } from '../http/answers/problem.js';
import { coversAccount } from './account-patterns.js';

export const unauthenticated = (why: string, suspicion?: SecurityRule): Problem =>
  new Problem('UNAUTHENTICATED', why, {
    headers: { 'www-authenticate': 'Bearer' },
    suspicion,
  });

/** @throws Problem UNAUTHORIZED when no account pattern of the key covers the account */
export function requireAccount(key: Key, accountId: string): void {
  if (coversAccount(key, accountId)) return;
  throw new Problem('UNAUTHORIZED', 'the key does not cover this account', { suspicion: 'foreign_account' });
}

/**
 * The ceiling of the key in this currency. Undefined for a key without ceilings.
 * @throws Problem UNAUTHORIZED when the key has ceilings in other currencies only, because then this currency is not
 *   allowed
 */
export function ceilingOf(key: Key, currency: string): Ceiling | undefined {
  if (Object.keys(key.ceilings).length === 0) return undefined;
  if (Object.hasOwn(key.ceilings, currency)) return key.ceilings[currency];
  throw new Problem('UNAUTHORIZED', `the key has no ceiling for ${currency}, so it may not use it`);
}
