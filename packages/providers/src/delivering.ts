type Delivering = Readonly<{
  name: string;
  /**
   * 1: of the orders between two accounts only amount and time tell one from another, so one of them is under way at a
   * time. Missing: the provider tells its orders apart.
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
 * The source of a payee as it is kept. Our own source has a pool, which knows its transfers by the missing name.
 * @param provider the provider of the payee, if it is configured
 */
export const keptSource = (
  provider: Readonly<{ source?: string }> | undefined,
  from: string | null,
): string | null => (from === provider?.source ? null : from);
