import { inSpan } from '@replenish/runtime/traces';
import type { CallAnswer } from '../contract/order.js';
import type { Outcome, ProviderOperation } from './attempt.js';

/** Makes one attempt of a call within a span of its own. Its headers carry the trace to the provider. */
export const inCallSpan = <O extends Outcome>(
  { provider, account }: Readonly<{ provider: string; account: string }>,
  operation: ProviderOperation,
  attempt: () => Promise<CallAnswer<O>>,
): Promise<CallAnswer<O>> =>
  inSpan(
    () => ({
      name: `${operation} ${provider}`,
      kind: 'client',
      attributes: {
        'replenish.provider': provider,
        'replenish.account': account,
        'replenish.operation': operation,
      },
    }),
    async (note) => {
      const answer = await attempt();
      const { httpStatus, providerCode } = answer.facts;
      note({
        'replenish.outcome': answer.outcome.kind,
        ...(httpStatus !== null && { 'http.response.status_code': httpStatus }),
        ...(providerCode !== null && { 'replenish.provider_code': providerCode }),
      });
      return answer;
    },
  );
