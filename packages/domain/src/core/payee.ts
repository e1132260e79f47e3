/** Where at a cloud the money of a delivery goes. */
export type Payee = Readonly<{
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  /** The account that pays at the provider. Null: the source that the provider account is configured with. */
  from: string | null;
  to: string;
}>;

/** The payee of an account, in the currency of its recharges. */
export type AccountPayee = Payee & Readonly<{ accountId: string; currency: string }>;

/** The id of an account at a provider, or our name of one. */
export const isAccountAtProvider = (text: string): boolean => /^[A-Za-z0-9._:-]{1,64}$/.test(text);
