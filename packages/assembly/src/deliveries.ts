import type { Domain } from '@replenish/domain';

type Hints = Readonly<{ hint(queue: `submission-${string}`, ids: readonly string[]): Promise<boolean> }>;

/**
 * The domain with news that hint the delivery which a report creates. The hint is not awaited: the delivery is stored,
 * and the sweeper takes it if the hint is lost.
 */
export const hintingDeliveries = (domain: Domain, queues: Hints): Domain => ({
  ...domain,
  applyNews: async (report) => {
    const result = await domain.applyNews(report);
    const { delivery } = result;
    if (delivery) void queues.hint(`submission-${delivery.provider}`, [delivery.id]);
    return result;
  },
});
