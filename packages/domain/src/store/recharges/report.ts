import type { Recharge, Report } from '../../core/decision.js';
import type { State, Verdict } from '../../core/recharge.js';

/** One contact with a provider, as it is kept. A submit's `id` is the one its intent was opened with. */
export type ProviderCallRow = Readonly<{
  id: string;
  operation: 'submit' | 'query';
  attempt: number;
  outcome: string | null;
  providerCode: string | null;
  httpStatus: number | null;
  startedAt: Date;
  endedAt: Date | null;
}>;

export type RechargeReport = Report &
  Readonly<{
    transactionId: string;
    calls?: readonly ProviderCallRow[];
    /** Row id of the stored webhook event that this report comes from: it is filed as processed in the same commit. */
    eventId?: string;
    /** Soonest time of the next step, when somebody named one (a provider's Retry-After). */
    notBeforeMs?: number;
    /** The provider could not be reached: the next try is not put off as if it had been asked and were silent. */
    unreached?: boolean;
    /** The recharge as the reporter saw it last, which saves a look when nothing has changed since. */
    seen?: RechargeSnapshot;
    /** Provider that speaks: a recharge of another one is not known to it. */
    provider?: string;
    /** The reporter comes again: while the recharge is not sent yet the news is left alone, and `early`. */
    mayWait?: boolean;
  }>;

export type ReportResult = Readonly<{
  /**
   * `not_understood`: a kind, state or next step that only a newer release knows. The report is left alone.
   * `refused`: the database refuses what the report would write. It was counted, and opens a case when it goes on.
   */
  verdict: Verdict | 'unknown_transaction' | 'repeated' | 'early' | 'not_understood' | 'refused';
  state: State | null;
  /** When the recharge was created; null for one that is not there. */
  createdAt: Date | null;
  /** Set when this report opened an attempt: what the provider needs to know. */
  claim: Claim | null;
}>;

export type Claim = Readonly<{
  transactionId: string;
  attempt: number;
  callId: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  provider: string;
  metadata: Readonly<Record<string, string>>;
  /** Of the request, for whoever follows it through the logs. */
  idempotencyKey: string;
  correlationId: string;
  createdAt: Date;
  /** To be handed on with the answer of the attempt. */
  seen: RechargeSnapshot;
}>;

/** A recharge with what says whether it has changed since. */
export type RechargeSnapshot = Recharge & Readonly<{ version: number; asks: number }>;
