import type { Clients, Key } from '@replenish/domain';
import type { Request } from 'express';
import { Problem } from './problem.js';

export const scopes = ['recharges:write', 'recharges:read', 'balances:read'] as const;
export type Scope = (typeof scopes)[number];

type Found = Awaited<ReturnType<Clients['find']>>;

// Half a second: a revoked key stops everywhere within a second, and a busy client costs two look-ups a second.
const KEY_TTL_MS = 500;
const KEYS_MAX = 10_000;

/** Who calls, by `Authorization: Bearer rk_<env>_<id>.<secret>`. Every process learns of a revocation in a second. */
export function openCallers(clients: Pick<Clients, 'find'>, now: () => number) {
  const kept = new Map<string, { until: number; found: Promise<Found> }>();

  const find = (keyId: string): Promise<Found> => {
    const known = kept.get(keyId);
    if (known && known.until > now()) return known.found;
    if (kept.size >= KEYS_MAX) kept.clear();
    const found = clients.find(keyId);
    kept.set(keyId, { until: now() + KEY_TTL_MS, found });
    found.catch(() => kept.delete(keyId));
    return found;
  };

  /** @throws Problem UNAUTHENTICATED, or UNAUTHORIZED when the key lacks the scope */
  return async (request: Request, scope: Scope): Promise<Key> => {
    const presented = /^Bearer (rk_[A-Za-z0-9_]{1,64})\.(rs_[A-Za-z0-9_-]{1,128})$/i.exec(
      request.headers.authorization ?? '',
    );
    if (!presented) throw unauthenticated('send Authorization: Bearer <key id>.<secret>');
    const found = await find(presented[1]!);
    if (!found?.isSecret(presented[2]!))
      throw unauthenticated('the key is not known, or the secret is not its own');
    if (found.key.requireSignature) throw unauthenticated('this key only takes signed requests');
    if (!found.key.scopes.includes(scope))
      throw new Problem('UNAUTHORIZED', `the key lacks the scope ${scope}`);
    return found.key;
  };
}

const unauthenticated = (why: string): Problem =>
  new Problem('UNAUTHENTICATED', why, { headers: { 'www-authenticate': 'Bearer' } });

/** @throws Problem UNAUTHORIZED when no pattern of the key covers the account */
export function requireAccount(key: Key, accountId: string): void {
  if (key.accounts.some((pattern) => covers(pattern, accountId))) return;
  throw new Problem('UNAUTHORIZED', 'the key does not cover this account');
}

/** `*` stands for any run of characters; everything else for itself. */
export const covers = (pattern: string, accountId: string): boolean =>
  pattern === '*' ||
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(accountId);

/** The same pattern for SQL's LIKE. */
export const likeOf = (pattern: string): string => pattern.replace(/[\\%_]/g, '\\$&').replaceAll('*', '%');
