/** Where at a cloud the money of a delivery goes. */
export type Payee = Readonly<{
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  /** The account that pays at the provider. Null: the source that the provider account is configured with. */
  from: string | null;
  to: string;
}>;
