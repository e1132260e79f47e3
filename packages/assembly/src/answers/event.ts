import type { CallbackContent, RefundView } from '@replenish/domain';
import { caseBody } from './case.js';
import { type OwnSources, rechargeBody, refundBody } from './recharge.js';

/**
 * The body of a callback. `data` is the answer that the API would have given at that moment, with the version of what it
 * is about. Versions of one recharge never fall from one event to the next.
 */
export const eventBody = (event: CallbackContent, providers: OwnSources) => ({
  type: event.type,
  timestamp: event.at.toISOString(),
  data: { ...dataOf(event, providers), version: event.version },
});

function dataOf(event: CallbackContent, providers: OwnSources): object {
  switch (event.about) {
    case 'recharge': {
      const { recharge, reason } = event;
      const isRefund = recharge.kind === 'refund' || recharge.kind === 'recall';
      return isRefund ? refundBody({ ...recharge, reason } as RefundView) : rechargeBody(recharge, providers);
    }
    case 'case':
      return caseBody(event.one);
    case 'data':
      return event.data;
  }
}
