import type { Funding, Kind } from '../../../core/money/postings.js';
import type { GivenTexts } from '../../../core/request-texts.js';

export type MoneyDestination = 'wallet' | 'cloud';

/** A validated request for a recharge. `id` becomes the transaction id and the provider's reference. */
export type NewRecharge = GivenTexts &
  Readonly<{
    id: string;
    clientId: string;
    idempotencyKey: string;
    accountId: string;
    kind: Kind;
    /** What pays a delivery. Default: `wallet`. */
    funding?: Funding;
    amountMinor: bigint;
    currency: string;
    paymentMethod: string;
    /** The provider that carries the recharge out. Null: only the provider of the account's payee can do that. */
    provider: string | null;
    /** The name of our account at that provider. The account of a payee takes precedence. Default: `main`. */
    providerAccount?: string;
    /** The name of our account that the client gave. It is a part of the request's meaning. */
    askedAccount?: string | undefined;
    /** Where the money goes, if the client says so. Default: to the payee of the account, if it has one. */
    destination?: MoneyDestination | null | undefined;
    /**
     * The payee that was looked at before the recharge was asked for, as text of JSON. If the account has another one now,
     * the recharge is refused as `payee_changed`. Null or not given: it goes to whatever payee the account has.
     */
    judgedPayee?: string | null;
    /**
     * The plan that the recharge is a line of. If it does not run, the recharge is refused as `plan_stopped`. Null or not
     * given: the recharge depends on no plan.
     */
    runningPlanId?: string | null;
    metadata: Readonly<Record<string, string>>;
    /** The limit of the key that asks, in minor units. An amount strictly above it needs an approval. */
    approvalAboveMinor?: bigint | null;
    requestedAt: Date | null;
    correlationId: string;
    /** W3C traceparent of the request. Null or not given: it is in no trace. */
    traceparent?: string | null;
  }>;
