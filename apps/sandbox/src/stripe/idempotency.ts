import { StripeFault } from './faults.js';
import type { StripeStore } from './store.js';

// Stripe keeps keys for at least 24 hours. After them, a known key is a new request.
const KEPT_MS = 24 * 3_600_000;
const KEY_MAX = 255;

export type StripeReply = Readonly<{ status: number; body: string; isReplayed: boolean }>;

/** Keeps the first answer under each Idempotency-Key, an answer of 500 included. */
export class IdempotencyKeys {
  readonly #store: StripeStore;
  readonly #running = new Set<string>();

  constructor(store: StripeStore) {
    this.#store = store;
  }

  /**
   * Runs a request, or repeats the answer that its key has.
   *
   * @throws StripeFault for a key that was used with other parameters, or whose first request is still running
   */
  async once(
    key: string | null,
    print: string,
    run: () => Promise<{ status: number; body: unknown; isStored: boolean }>,
  ): Promise<StripeReply> {
    if (key === null) return replyOf(await run());
    if (key === '' || key.length > KEY_MAX) throw badKey('Idempotency-Key must have 1 to 255 characters.');
    const kept = this.#store.keys.get(key);
    if (kept && Date.now() - kept.atMs < KEPT_MS) {
      if (kept.print !== print)
        throw badKey(
          'Keys for idempotent requests can only be used with the same parameters they were first used with.',
        );
      return { status: kept.status, body: kept.body, isReplayed: true };
    }
    if (this.#running.has(key)) throw inUse();
    this.#running.add(key);
    try {
      const { isStored, ...answer } = await run();
      const reply = replyOf(answer);
      const { status, body } = reply;
      if (isStored) this.#store.keys.putSync(key, { print, status, body, atMs: Date.now() });
      return reply;
    } finally {
      this.#running.delete(key);
    }
  }
}

const replyOf = ({ status, body }: { status: number; body: unknown }): StripeReply => ({
  status,
  body: JSON.stringify(body, null, 2),
  isReplayed: false,
});

const badKey = (message: string) => new StripeFault(400, { type: 'idempotency_error', message }, false);

const inUse = () =>
  new StripeFault(
    409,
    {
      type: 'invalid_request_error',
      code: 'idempotency_key_in_use',
      message: 'There is currently another in-progress request using this Idempotent Key.',
    },
    false,
  );
