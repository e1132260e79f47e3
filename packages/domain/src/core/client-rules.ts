/** The environments of keys. Production accepts only `live` keys, and every other environment only `test` keys. */
export const keyEnvironments = ['test', 'live'] as const;

// A client's name has at most 64 characters. Mutual TLS compares it with a certificate's common name, which is no
// longer (RFC 5280, ub-common-name).
const CLIENT_NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._@-]{0,62}[\p{L}\p{M}\p{N}])?$/u;

/** A client's name has letters and digits of any script, with spaces and . _ @ - between them. */
export const isClientName = (text: string): boolean => CLIENT_NAME.test(text) && text.length <= 64;

/** A pattern has the characters of an account's id, and `*` for any sequence of them. */
export const isAccountPattern = (text: string): boolean => /^[A-Za-z0-9._:*-]{1,64}$/.test(text);
