import type { Claim } from '@replenish/domain';
import type { Order } from '@replenish/providers';

/**
 * The target of an order. Empty for an order that stays at its provider, such as a collect whose money is delivered
 * elsewhere afterwards.
 */
export const destinationOf = ({
  payee,
  provider,
}: Pick<Claim, 'payee' | 'provider'>): Pick<Order, 'destination'> =>
  payee?.provider === provider ? { destination: { from: payee.from, to: payee.to } } : {};
