import type { RequestTexts } from '../../core/request-texts.js';

/** A recharge in a pack. Times are ISO 8601, amounts are minor units. */
export type PackedRecharge = Readonly<{
  transactionId: string;
  kind: 'collect' | 'deliver' | 'refund';
  direction: 'in' | 'out';
  funding: string;
  state: string;
  clientId: string;
  accountId: string;
  amount: number;
  currency: string;
  paymentMethod: string;
  provider: string;
  providerAccount: string;
  payee: object | null;
  providerOrderId: string | null;
  externalReference: string | null;
  orderReference: string | null;
  collectedBy: string | null;
  refundOf: string | null;
  failure: Readonly<{ code: string; message: string | null }> | null;
  createdAt: string;
  submittedAt: string | null;
  succeededAt: string | null;
  failedAt: string | null;
  canceledAt: string | null;
}>;

type OfTransaction = Readonly<{ transactionId: string }>;

/** The request as the client sent it. */
export type PackedRequest = OfTransaction &
  Omit<RequestTexts, 'orderReference'> &
  Readonly<{
    idempotencyKey: string;
    fingerprint: string;
    correlationId: string;
    metadata: Readonly<Record<string, string>>;
    reason: string | null;
    requestedAt: string | null;
    receivedAt: string;
  }>;

type PackedCall = OfTransaction &
  Readonly<{
    callId: string;
    operation: string;
    attempt: number;
    outcome: string;
    providerCode: string | null;
    httpStatus: number | null;
    startedAt: string;
    endedAt: string | null;
    evidence: object | null;
  }>;

/** A provider's event. Its body is left out, because it may hold secrets of the payer. */
type PackedWebhook = OfTransaction &
  Readonly<{
    provider: string;
    eventId: string;
    bodySha256: string;
    storedAt: string;
    processedAt: string | null;
    verdict: string | null;
  }>;

export type PackedTransition = OfTransaction &
  Readonly<{
    seq: number;
    news: string;
    verdict: string;
    from: string;
    to: string;
    source: string;
    reason: string;
    at: string;
  }>;

export type PackedPosting = OfTransaction &
  Readonly<{
    entryId: number;
    journalId: string;
    slot: string;
    debit: string;
    credit: string;
    amount: number;
    currency: string;
    at: string;
  }>;

export type PackedCase = OfTransaction &
  Readonly<{
    caseId: string;
    kind: string;
    amount: number | null;
    currency: string | null;
    openedAt: string;
    closedAt: string | null;
    resolution: string | null;
    verb: string | null;
    actor: string | null;
    reason: string | null;
    detail: object;
    evidence: object | null;
  }>;

export type PackedAction = OfTransaction &
  Readonly<{
    actionId: string;
    caseId: string | null;
    verb: string;
    actor: string;
    role: string;
    subject: string;
    reason: string;
    evidence: object | null;
    at: string;
  }>;

/** A link of the chain of hashes, with the hash before it and the text that it covers. */
export type PackedLink = Readonly<{
  seq: number;
  source: string;
  rowKey: string;
  body: string;
  before: string;
  hash: string;
  sealedAt: string;
}>;

export type RowName = Readonly<{ source: string; rowKey: string }>;

export const EVIDENCE_FORMAT = 'replenish-evidence/1';

/**
 * All that is on record about one recharge, its delivery and its refunds, with the links of the chain that cover it. It
 * holds no secret: no body of a webhook, no signature, and no address or secret with which a payer pays.
 */
export type EvidencePack = Readonly<{
  format: typeof EVIDENCE_FORMAT;
  madeAt: string;
  transactionId: string;
  recharge: PackedRecharge;
  request: PackedRequest;
  /** The delivery and the refunds, 50 at most. Their rows are in the lists below, too. */
  parts: readonly Readonly<{ recharge: PackedRecharge; request: PackedRequest }>[];
  transitions: readonly PackedTransition[];
  calls: readonly PackedCall[];
  webhooks: readonly PackedWebhook[];
  postings: readonly PackedPosting[];
  /** What the postings come to per account and currency: credits less debits. */
  sums: readonly Readonly<{ account: string; currency: string; sum: number }>[];
  cases: readonly PackedCase[];
  actions: readonly PackedAction[];
  chain: Readonly<{
    /** The newest link of the whole chain. Null: nothing was ever sealed. */
    head: Readonly<{ seq: number; hash: string; sealedAt: string }> | null;
    links: readonly PackedLink[];
    /** Rows of the pack without a link. */
    unsealed: readonly RowName[];
  }>;
}>;
