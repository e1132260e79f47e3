import type { Kind } from '../../core/postings.js';

/** A validated request for a recharge. `id` becomes the transaction id, and the provider's reference. */
export type NewRecharge = Readonly<{
  id: string;
  clientId: string;
  idempotencyKey: string;
  accountId: string;
  kind: Kind;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  provider: string;
  orderReference: string | null;
  productType: string | null;
  planId: string | null;
  metadata: Readonly<Record<string, string>>;
  requestedAt: Date | null;
  correlationId: string;
}>;
