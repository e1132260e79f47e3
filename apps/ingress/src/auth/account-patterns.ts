import type { Key } from '@replenish/domain';

export const coversAccount = (key: Key, accountId: string): boolean =>
  key.accounts.some((pattern) => covers(pattern, accountId));

export const coversEveryAccount = (key: Key): boolean => key.accounts.includes('*');

/**
 * Whether the pattern matches the account. `*` stands for any number of characters, every other character for itself.
 * The parts between stars are searched one after the other, because a regular expression took 4.6 s for
 * `*a*a*a*a*a*a*b` and 64 letters a.
 */
export function covers(pattern: string, accountId: string): boolean {
  if (pattern === '*') return true;
  const [head = '', ...parts] = pattern.split('*');
  const tail = parts.pop();
  if (tail === undefined) return accountId === pattern;
  if (!accountId.startsWith(head)) return false;
  let at = head.length;
  for (const part of parts) {
    const found = accountId.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return accountId.length - tail.length >= at && accountId.endsWith(tail);
}

/** The same pattern for SQL's LIKE. */
export const likeOf = (pattern: string): string => pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
