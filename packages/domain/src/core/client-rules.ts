/** Marks of keys. Production takes `live` keys only, every other environment `test` keys only. */
export const keyEnvironments = ['test', 'live'] as const;

// 64 characters are the bound of a certificate's common name (RFC 5280, ub-common-name), which mutual TLS compares.
const CLIENT_NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._@-]{0,62}[\p{L}\p{M}\p{N}])?$/u;

/** Letters and digits of any script, with spaces and . _ @ - between them. */
export const isClientName = (text: string): boolean => CLIENT_NAME.test(text) && text.length <= 64;

/** The characters of an account's id, and `*` for any run of them. */
export const isAccountPattern = (text: string): boolean => /^[A-Za-z0-9._:*-]{1,64}$/.test(text);
