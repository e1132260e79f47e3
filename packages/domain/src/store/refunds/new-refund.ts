/** A validated request for a refund. `id` becomes the id of its transaction and the provider's reference. */
export type NewRefund = Readonly<{
  id: string;
  clientId: string;
  idempotencyKey: string;
  /** The recharge to pay back. */
  of: string;
  /** The amount to refund. Null: what is left of the recharge. */
  amountMinor: bigint | null;
  reason: string;
  correlationId: string;
}>;

/** The facts of the refunded recharge that never change. */
export type RefundedTerms = Readonly<{
  kind: string;
  accountId: string;
  currency: string;
  /** The refund takes its amount from the wallet. */
  isHeld: boolean;
}>;
