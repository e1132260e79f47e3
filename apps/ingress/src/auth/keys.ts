import type { Clients, KeyVerifier } from '@replenish/domain';

export type KeySource = Pick<Clients, 'find' | 'findBySubject'>;

/** How a key is looked up: by its id, or by the `sub` of an access token. */
export type KeyName = Readonly<{ keyId: string }> | Readonly<{ subject: string }>;

/** A key, and whether the proof for it was right. */
export type TriedKey = Readonly<{ known: KeyVerifier; isProven: boolean }>;

// A revoked key must stop in all processes within a second. With half a second a busy client costs two look-ups per
// second.
const KEY_TTL_MS = 500;
const KEYS_MAX = 10_000;

/**
 * A cache of keys for half a second. When a proof fails on a cached key, it is tried again on the key from the
 * database, so that a new secret works immediately.
 */
export function openKeys(source: KeySource) {
  const kept = new Map<string, { at: number; found: Promise<KeyVerifier | null> }>();
  // The clock is monotonic, because a cached key must not live longer if the wall clock is set back.
  const now = () => performance.now();

  /** The key, read at `since` or later. */
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

  /** The key, and whether the proof is right. Null when there is no such key. */
  return async (name: KeyName, isProven: (known: KeyVerifier) => boolean): Promise<TriedKey | null> => {
    const askedAt = now();
    const known = await look(name, askedAt - KEY_TTL_MS);
    if (known && isProven(known)) return { known, isProven: true };
    const current = await look(name, askedAt);
    return current && { known: current, isProven: current !== known && isProven(current) };
  };
}
