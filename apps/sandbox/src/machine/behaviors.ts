/** A fault for the next calls or messages: those about `reference`, or about anything if it is null. */
type Behavior<Fault extends string> = { fault: Fault; timesLeft: number; reference: string | null };

/** The faults of a dialect that are still to come. They are only in memory, so a restart ends them. */
export class Behaviors<Fault extends string> {
  #list: Behavior<Fault>[] = [];

  add(fault: Fault, times: number, reference: string | null): void {
    // The newest one for a reference holds.
    this.#list = [{ fault, timesLeft: times, reference }, ...this.#list];
  }

  clear(): void {
    this.#list = [];
  }

  /** Takes one use of the newest fault among `faults` that concerns the reference. Null: there is none. */
  take(faults: readonly Fault[], reference: string | null): Fault | null {
    const found = this.#list.find(
      (one) => faults.includes(one.fault) && (one.reference === null || one.reference === reference),
    );
    if (!found) return null;
    found.timesLeft--;
    this.#list = this.#list.filter(({ timesLeft }) => timesLeft > 0);
    return found.fault;
  }
}

/** Reads the body of a `behave` call. A text says what is wrong with it. */
export function readBehave<Fault extends string>(
  body: unknown,
  faults: readonly Fault[],
): { fault: Fault; times: number; reference: string | null } | string {
  const { scenario, times = 1, reference = null } = (body ?? {}) as Record<string, unknown>;
  if (!faults.includes(scenario as Fault)) return `scenario: must be one of ${faults.join(', ')}`;
  if (!Number.isInteger(times) || (times as number) < 1 || (times as number) > 1_000)
    return 'times: must be a number from 1 to 1000';
  if (reference !== null && typeof reference !== 'string') return 'reference: must be a text';
  return { fault: scenario as Fault, times: times as number, reference };
}
