import { isReference } from './order.js';
import type { LoggedCall, SandboxStore } from './store.js';

// A caller that asked more often has shown what it does.
const SHOWN = 1_000;

/** Who contacted the provider about which reference, in which order, and what it heard. */
export class CallLog {
  readonly #store: SandboxStore;
  #n = 0;

  constructor(store: SandboxStore) {
    this.#store = store;
  }

  /** Counts every contact; keeps those that name a reference. Not awaited: a reader waits for the commit instead. */
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
      limit: SHOWN,
    });
    return [...rows].map(({ key, value }) => ({ at: new Date(key[1]).toISOString(), ...value }));
  }
}
