import type { Claim, Outstanding } from '@replenish/domain';
import type { SoughtRefund } from '@replenish/providers';
import { destinationOf } from './destination.js';

type Refunded = Pick<
  Claim & Outstanding,
  'original' | 'accountId' | 'amountMinor' | 'currency' | 'payee' | 'provider'
>;

/** The order of a refund or a recall. Null: the recharge is neither. */
export function soughtRefund(reference: string, refund: Refunded): SoughtRefund | null {
  const { original, accountId, amountMinor, currency } = refund;
  if (!original) return null;
  const of = { reference: original.id, providerOrderId: original.providerOrderId };
  return { reference, of, accountId, amountMinor, currency, ...destinationOf(refund) };
}
