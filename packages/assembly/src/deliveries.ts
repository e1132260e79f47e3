import type { Domain, RechargeReport, ReportResult } from '@replenish/domain';
import { inSpan } from '@replenish/runtime/traces';

type Hints = Readonly<{ hint(queue: `submission-${string}`, ids: readonly string[]): Promise<boolean> }>;

/**
 * The domain of a worker. Each report of news is a span. A report that creates a delivery hints it. The hint is not
 * awaited: the delivery is stored, and the sweeper takes it if the hint is lost.
 */
export const hintingDeliveries = (domain: Domain, queues: Hints): Domain => ({
  ...domain,
  applyNews: async (report) => {
    const result = await inNewsSpan(report, () => domain.applyNews(report));
    const { delivery } = result;
    if (delivery) void queues.hint(`submission-${delivery.provider}`, [delivery.id]);
    return result;
  },
});

const inNewsSpan: (...given: [RechargeReport, () => Promise<ReportResult>]) => Promise<ReportResult> = (
  { news, transactionId, source },
  apply,
) =>
  inSpan(
    () => ({
      name: `apply ${news}`,
      kind: 'internal',
      attributes: { 'replenish.transaction_id': transactionId, 'replenish.source': source },
    }),
    async (note) => {
      const result = await apply();
      note({ 'replenish.verdict': result.verdict, ...(result.state && { 'replenish.state': result.state }) });
      return result;
    },
  );
