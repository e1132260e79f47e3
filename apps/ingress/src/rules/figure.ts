import type { Domain, NewRule } from '@replenish/domain';
import type { Providers } from '@replenish/providers';

export type FigureDeps = Readonly<{
  domain: Readonly<{ payees: Pick<Domain['payees'], 'of'> }>;
  providers: Pick<Providers, 'raw'>;
}>;

/**
 * Why a rule cannot compare the figure that it asks for, in words. Null: it can. A rule without a payee is refused for
 * that.
 */
export async function faultOfFigure(
  { domain, providers }: FigureDeps,
  { accountId, watch, terms }: Pick<NewRule, 'accountId' | 'watch' | 'terms'>,
): Promise<string | null> {
  if (terms.balance === 'available' || watch === 'wallet') return null;
  const payee = await domain.payees.of(accountId);
  if (!payee || providers.raw(payee.provider, payee.providerAccount)?.balance?.tellsCash) return null;
  return `is cash, and ${payee.provider} does not tell the cash of the payee's account: compare what is available`;
}
