import type { CloudStore } from './store.js';

// A nonce must be kept for longer than its date is valid: 15 minutes before and after.
const KEPT_MS = 31 * 60_000;

/** The nonces that were used. They are stored, so a request cannot be repeated after a restart either. */
export class Nonces {
  readonly #store: CloudStore;
  /** Times of the used nonces, oldest first. */
  readonly #used: Map<string, number>;

  constructor(store: CloudStore) {
    this.#store = store;
    const stored = [...store.nonces.getRange()].map(({ key, value }) => [key.join('\n'), value] as const);
    this.#used = new Map(stored.sort(([, one], [, other]) => one - other));
  }

  /** False when the key has used the nonce before. */
  take(accessKeyId: string, nonce: string, nowMs: number): boolean {
    this.#forget(nowMs - KEPT_MS);
    // The store's keys are limited to about 1900 bytes. A real nonce has 64.
    if (nonce.length > 256) return false;
    const name = `${accessKeyId}\n${nonce}`;
    if (this.#used.has(name)) return false;
    this.#used.set(name, nowMs);
    void this.#store.nonces.put([accessKeyId, nonce], nowMs);
    return true;
  }

  #forget(beforeMs: number): void {
    for (const [name, atMs] of this.#used) {
      if (atMs >= beforeMs) return;
      this.#used.delete(name);
      const [accessKeyId = '', nonce = ''] = name.split('\n');
      void this.#store.nonces.remove([accessKeyId, nonce]);
    }
  }
}
