import type { Clients, KeyVerifier } from '@replenish/domain';

export type KeySource = Pick<Clients, 'find' | 'findBySubject'>;

/** Which key: by its id, or by the `sub` of an access token. */
export type KeyName = Readonly<{ keyId: string }> | Readonly<{ subject: string }>;

/** A key that a proof was tried on. */
export type Tried = Readonly<{ known: KeyVerifier; isProven: boolean }>;

// Half a second: a revoked key stops everywhere within a second, and a busy client costs two look-ups a second.
const KEY_TTL_MS = 500;
const KEYS_MAX = 10_000;

/**
 * Keys, kept for half a second. A proof that fails on a kept key is tried once more on the key as it is now, so that a
 * new secret works at once.
 */
export function openKeys(source: KeySource) {
  const kept = new Map<string, { at: number; found: Promise<KeyVerifier | null> }>();
  // Not the wall clock: a clock that is set back would keep a revoked key alive.
  const now = () => performance.now();

  /** The key as it was at `since` or later. */
  const look = (name: KeyName, since: number): Promise<KeyVerifier | null> => {
    const label = 'keyId' in name ? name.keyId : `sub ${name.subject}`;
    const known = kept.get(label);
    if (known && known.at >= since) return known.found;
    if (kept.size >= KEYS_MAX) kept.clear();
    const found = 'keyId' in name ? source.find(name.keyId) : source.findBySubject(name.subject);
    const entry = { at: now(), found };
    kept.set(label, entry);
    found.catch(() => kept.get(label) === entry && kept.delete(label));
    return found;
  };

  /** The named key, and whether the proof holds for it; null where there is none. */
  return async (name: KeyName, isProven: (known: KeyVerifier) => boolean): Promise<Tried | null> => {
    const askedAt = now();
    const known = await look(name, askedAt - KEY_TTL_MS);
    if (known && isProven(known)) return { known, isProven: true };
    const current = await look(name, askedAt);
    return current && { known: current, isProven: current !== known && isProven(current) };
  };
}
