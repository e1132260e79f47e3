/** The environments of keys. Production accepts only `live` keys, and every other environment only `test` keys. */
export const keyEnvironments = ['test', 'live'] as const;

// A client's name has at most 64 characters. Mutual TLS compares it with a certificate's common name, which is no
// longer (RFC 5280, ub-common-name).
const CLIENT_NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._@-]{0,62}[\p{L}\p{M}\p{N}])?$/u;

/** A client's name has letters and digits of any script, with spaces and . _ @ - between them. */
export const isClientName = (text: string): boolean => CLIENT_NAME.test(text) && text.length <= 64;

/** A pattern has the characters of an account's id, and `*` for any sequence of them. */
export const isAccountPattern = (text: string): boolean => /^[A-Za-z0-9._:*-]{1,64}$/.test(text);

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
