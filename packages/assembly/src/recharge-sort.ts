import type { MoneyDestination, NewRecharge } from '@replenish/domain';
import type { Providers } from '@replenish/providers';

/** The kind of a recharge, what pays it, and the provider that carries it out where the account has no payee. */
export type RechargeSort = Required<Pick<NewRecharge, 'kind' | 'provider'>> & {
  funding: NonNullable<NewRecharge['funding']>;
};

/** The field at fault, and what is wrong with it. */
export type SortRefusal = Readonly<{ path: 'destination' | 'paymentMethod'; message: string }>;

type SortedRequest = Readonly<{ paymentMethod: string; destination?: MoneyDestination | null | undefined }>;

/** Sorts a request by its payment method and its destination, or says why it cannot be carried out. */
export function sortOfRecharge(
  providers: Pick<Providers, 'route'>,
  { paymentMethod, destination }: SortedRequest,
): RechargeSort | SortRefusal {
  const isOut = paymentMethod === 'balance' || paymentMethod === 'fund_account';
  if (isOut && destination === 'wallet') {
    const message = `${paymentMethod} pays deliveries to a cloud, so it cannot be wallet`;
    return { path: 'destination', message };
  }
  if (paymentMethod === 'fund_account') return { kind: 'deliver', funding: 'house', provider: null };
  const provider = providers.route(paymentMethod);
  if (paymentMethod === 'balance') return { kind: 'deliver', funding: 'wallet', provider };
  if (!provider) return { path: 'paymentMethod', message: `no provider is configured for ${paymentMethod}` };
  return { kind: 'collect', funding: 'wallet', provider };
}
