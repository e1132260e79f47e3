import type { ResolutionRefusal } from '../../core/cases/resolution.js';
import type { Recharge, Report } from '../../core/decision.js';
import type { Payee } from '../../core/payee.js';
import type { State, Verdict } from '../../core/recharge.js';
import type { WaitingNote } from '../../core/waiting/waiting-note.js';
import type { OriginalOrder } from '../refunds/original.js';

/** One call to a provider, as it is stored. The `id` of a submit is the id that its intent was opened with. */
export type ProviderCallRow = Readonly<{
  id: string;
  operation: 'submit' | 'query' | 'cancel';
  attempt: number;
  outcome: string | null;
  providerCode: string | null;
  httpStatus: number | null;
  startedAt: Date;
  endedAt: Date | null;
  /** What a search looked at, in a form that JSON can hold. Missing: the call was no search. */
  evidence?: object | null;
}>;

/** Who decided about a case, and what they showed. It is filed in the commit that carries the decision out. */
export type OperatorAction = Readonly<{
  id: string;
  actor: string;
  role: string;
  /** In a form that JSON can hold. */
  evidence: object | null;
  /** The client and the idempotency key of the request. Null: the request had no key. */
  key: Readonly<{ clientId: string; idempotencyKey: string; fingerprint: string }> | null;
}>;

export type RechargeReport = Report &
  Readonly<{
    transactionId: string;
    /** Set exactly if the report has a resolution. */
    operator?: OperatorAction;
    calls?: readonly ProviderCallRow[];
    /** Row id of the webhook event that this report comes from. The same commit marks the event as processed. */
    eventId?: string;
    /** The soonest time of the next step in ms from now, if the provider named one (Retry-After). */
    notBeforeMs?: number;
    /** The latest time of the next step in ms from now. A gap that grew beyond it is shortened. */
    notAfterMs?: number;
    /** What the recharge waits for. Missing: nothing beyond what the row shows. */
    waiting?: WaitingNote;
    /**
     * The limits of a claim. It may have to wait for its lane, and for a pool whose last reading must not be older than
     * `poolReadWithinMs`.
     */
    limits?: Readonly<{ poolReadWithinMs: number | null }>;
    /** The facts for the decision about a case that this report opens, in a form that JSON can hold. */
    evidence?: object;
    /** Whether the next step is due at once, because the report calls for it. */
    isUrgent?: boolean;
    /** Whether the provider could not be reached. Such a try does not lengthen the gap to the next one. */
    unreached?: boolean;
    /** The recharge as the reporter saw it last. It saves a read if nothing has changed since. */
    seen?: RechargeSnapshot;
    /** The provider that the report comes from. A recharge of another provider answers `unknown_transaction`. */
    provider?: string;
    /** The account of ours there that the report comes from. The same holds for a recharge of another account. */
    providerAccount?: string;
    /**
     * Whether the reporter will repeat the report. If so, a report before the recharge is sent is ignored and answered
     * `early`.
     */
    mayWait?: boolean;
  }>;

export type ReportResult = Readonly<{
  /**
   * - `repeated`: the event of the report is processed already.
   * - `early`: the recharge has not been sent yet, and the report said `mayWait`.
   * - `not_understood`: only a newer release knows the recharge's kind, state or next step. The report is ignored.
   * - `refused`: the database refuses what the report would write. The refusal is counted. The third refusal opens a
   *   case.
   * - The refusals of a resolution: nothing was done.
   */
  verdict:
    | Verdict
    | 'unknown_transaction'
    | 'repeated'
    | 'early'
    | 'not_understood'
    | 'refused'
    | ResolutionRefusal;
  state: State | null;
  /** When the recharge was created. Null if there is no such recharge. */
  createdAt: Date | null;
  /** The facts that the provider call needs. Set only if this report opened an attempt. */
  claim: Claim | null;
  /** Why a claim may not go on now. Missing: nothing holds it back. */
  held?: 'LANE' | 'SOURCE_FUNDS';
  /** The delivery or the refund that this report created, to be hinted. */
  delivery: Readonly<{ id: string; provider: string }> | null;
}>;

/** A granted claim: only its holder may now call the provider. */
export type Claim = Readonly<{
  transactionId: string;
  attempt: number;
  callId: string;
  accountId: string;
  amountMinor: bigint;
  currency: string;
  paymentMethod: string;
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  /** The target of a delivery to a cloud. Of a collect: where its money is delivered afterwards. */
  payee: Payee | null;
  /** The order that this refund or recall pays back. Null: it is neither. */
  original: OriginalOrder | null;
  metadata: Readonly<Record<string, string>>;
  /** The client's idempotency key, for the log lines. */
  idempotencyKey: string;
  correlationId: string;
  createdAt: Date;
  /** The snapshot that the reporter passes again with the answer of the attempt. */
  seen: RechargeSnapshot;
}>;

/** A recharge with the version that tells whether it has changed since, and the number of queries so far. */
export type RechargeSnapshot = Recharge & Readonly<{ version: number; asks: number; lane?: string | null }>;

/** The part of a snapshot that the row of a decision is written from. */
export type WritableSnapshot = Pick<
  RechargeSnapshot,
  | 'id'
  | 'state'
  | 'confirmation'
  | 'nextStep'
  | 'attempt'
  | 'version'
  | 'asks'
  | 'lane'
  | 'openCases'
  | 'cases'
>;
