/** What the payer has to do. `expiresAt`: the time after which it no longer works. Null: it has no such time. */
export type PayersAction = Readonly<{
  type: 'redirect' | 'qr_code' | 'client_secret';
  value: string;
  expiresAt: Date | null;
}>;
