import { isReference } from './order.js';
import type { LoggedCall, SandboxStore } from './store/store.js';

// Contacts listed per reference. More of them would show nothing new.
const LISTED_MAX = 1_000;

/** The log of all contacts about each reference, in order, with the answers. */
export class CallLog {
  readonly #store: SandboxStore;
  #n = 0;

  constructor(store: SandboxStore) {
    this.#store = store;
  }

  /**
   * Counts a contact, and stores it when it names a reference. The write is not awaited. `of` waits for the commit
   * instead.
   */
  file(
    contact: Readonly<{ reference: unknown; operation: LoggedCall['operation']; atMs: number }>,
    answer: string,
  ): void {
    const { reference, operation, atMs } = contact;
    const { counters, calls } = this.#store;
    if (operation === 'submit') counters.submits++;
    else counters.queries++;
    if (operation === 'submit' && answer === '200') counters.replays++;
    if (!isReference(reference)) return;
    const n = this.#n++;
    this.#store.lazily(() => void calls.put([reference, atMs, n], { operation, answer }));
  }

  async of(
    reference: string,
  ): Promise<readonly Readonly<{ at: string; operation: string; answer: string }>[]> {
    await this.#store.committed();
    const rows = this.#store.calls.getRange({
      start: [reference, 0, 0],
      end: [reference, Number.MAX_SAFE_INTEGER, 0],
      limit: LISTED_MAX,
    });
    return [...rows].map(({ key, value }) => ({ at: new Date(key[1]).toISOString(), ...value }));
  }
}
