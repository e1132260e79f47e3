type Delivering = Readonly<{
  name: string;
  /**
   * How many orders between two accounts may be under way at a time: one, because only amount and time tell one from
   * another. Missing: the provider tells its orders apart.
   */
  ordersPerLane?: 1;
}>;

/** The providers that deliver money to a cloud account. */
const delivering: readonly Delivering[] = [{ name: 'alibaba_cloud', ordersPerLane: 1 }];

export const deliveringProviders: readonly string[] = delivering.map(({ name }) => name);

/** The providers whose orders go one at a time between two accounts. */
export const lanedProviders: readonly string[] = delivering
  .filter(({ ordersPerLane }) => ordersPerLane === 1)
  .map(({ name }) => name);

/**
 * The source of a payee in the form in which it is stored. Our own source is stored as null. The pool of our own source
 * counts the deliveries whose source is null.
 * @param provider the provider of the payee, if it is configured
 */
export const keptSource = (
  provider: Readonly<{ source?: string }> | undefined,
  from: string | null,
): string | null => (from === provider?.source ? null : from);
