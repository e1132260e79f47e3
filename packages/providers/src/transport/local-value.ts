import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * A value for all that a piece of work starts. Outside such work the storage is off: while it is on, Node 20 and 22 run
 * a hook for every promise of the process.
 */
export class LocalValue<T> {
  readonly #storage = new AsyncLocalStorage<T>();
  #running = 0;

  async run<R>(value: T, work: () => Promise<R>): Promise<R> {
    this.#running++;
    try {
      return await this.#storage.run(value, work);
    } finally {
      if (--this.#running === 0) this.#storage.disable();
    }
  }

  /** Undefined: the caller was not started by such work. */
  get(): T | undefined {
    return this.#storage.getStore();
  }
}
