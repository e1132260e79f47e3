import type { MoneyDestination, NewRecharge } from '@replenish/domain';
import type { Providers } from '@replenish/providers';

/** The kind of a recharge, what pays it, and the provider that carries it out where the account has no payee. */
export type RechargeSort = Pick<NewRecharge, 'kind' | 'provider' | 'providerAccount'> & {
  funding: NonNullable<NewRecharge['funding']>;
};

/** The field at fault, and what is wrong with it. */
export type SortRefusal = Readonly<{
  path: 'destination' | 'paymentMethod' | 'providerAccount';
  message: string;
}>;

type SortedRequest = Readonly<{
  paymentMethod: string;
  destination?: MoneyDestination | null | undefined;
  /** The account that the client names. Default: the first one of the provider. */
  providerAccount?: string | null | undefined;
}>;

export type SortingProviders = Pick<Providers, 'route' | 'accounts'>;

/** Sorts a request by its payment method and its destination, or says why it cannot be carried out. */
export function sortOfRecharge(
  providers: SortingProviders,
  { paymentMethod, destination, providerAccount }: SortedRequest,
): RechargeSort | SortRefusal {
  const asked = providerAccount ?? undefined;
  const isOut = paymentMethod === 'balance' || paymentMethod === 'fund_account';
  if (isOut && destination === 'wallet') {
    const message = `${paymentMethod} pays deliveries to a cloud, so it cannot be wallet`;
    return { path: 'destination', message };
  }
  if (isOut && asked !== undefined) {
    const message = `is for collections: the payee of the account says which account pays ${paymentMethod}`;
    return { path: 'providerAccount', message };
  }
  if (paymentMethod === 'fund_account') return { kind: 'deliver', funding: 'house', provider: null };
  const route = providers.route(paymentMethod);
  if (paymentMethod === 'balance') return { kind: 'deliver', funding: 'wallet', provider: null, ...route };
  if (!route) return { path: 'paymentMethod', message: `no provider is configured for ${paymentMethod}` };
  const accounts = providers.accounts(route.provider);
  if (asked !== undefined && !accounts.includes(asked)) {
    const message = `is no account of ours at ${route.provider}: there is ${accounts.join(', ')}`;
    return { path: 'providerAccount', message };
  }
  return {
    kind: 'collect',
    funding: 'wallet',
    ...route,
    ...(asked !== undefined && { providerAccount: asked }),
  };
}
