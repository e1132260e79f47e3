import type { Kind } from '../../core/postings.js';
import type { GivenTexts } from '../../core/request-texts.js';

/** A validated request for a recharge. `id` becomes the transaction id and the provider's reference. */
export type NewRecharge = GivenTexts &
  Readonly<{
    id: string;
    clientId: string;
    idempotencyKey: string;
    accountId: string;
    kind: Kind;
    amountMinor: bigint;
    currency: string;
    paymentMethod: string;
    provider: string;
    metadata: Readonly<Record<string, string>>;
    requestedAt: Date | null;
    correlationId: string;
  }>;
