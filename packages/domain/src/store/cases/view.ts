import type { KnownCase } from '../../core/cases/case-kinds.js';
import { factsOf, type Verb, verbsFor } from '../../core/cases/case-verbs.js';
import type { Kind } from '../../core/money/postings.js';
import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import { type CaseInJson, casesInJson, heldOf, knownCases, ownLineOf } from './known.js';
import { namesOrder } from './order-of-line.js';

/** A case as a person sees it. */
export type CaseView = Readonly<{
  id: string;
  kind: string;
  /** The recharge of the case. Null: the case is about an event that names no recharge of ours. */
  transactionId: string | null;
  clientId: string | null;
  accountId: string | null;
  /** The id of the transaction, or `<provider>:<event id>`. */
  subject: string;
  /** The money of the case. Null: the case is about no money, or about several currencies. */
  amountMinor: bigint | null;
  currency: string | null;
  /** The number of sums in suspense for the case. A case only ever gets more. */
  sums: number;
  openedAt: Date;
  closedAt: Date | null;
  /** The facts that opened it, and under `given` what a person showed. */
  evidence: Readonly<Record<string, unknown>>;
  /** The decisions that a person can make now. */
  verbs: readonly Verb[];
  /** The decision about the case. Null while the case is open. Verb and actor are null if later facts settled it. */
  resolution: Readonly<{ verb: string | null; reason: string; actor: string | null; at: Date }> | null;
}>;

/** Whether orders of one of our accounts at a provider are paid back. */
export type IsRefunding = (provider: string, providerAccount: string) => boolean;

type OrderMaker = Readonly<{ kind: Kind; provider: string; providerAccount: string }>;

export type CaseRow = Omit<CaseView, 'verbs' | 'resolution' | 'sums'> &
  Readonly<{
    verb: string | null;
    actor: string | null;
    reason: string | null;
    words: string | null;
    suspended: CaseInJson['suspended'];
    ownLine: CaseInJson['ownLine'];
    state: State | null;
    provider: string | null;
    providerAccount: string | null;
    rechargeKind: Kind | null;
    cases: readonly CaseInJson[] | null;
    /** Whether the line of an open case names an order of ours. Null for every other case. */
    namesOrder: boolean | null;
  }>;

/** Columns of a view, from `reconciliation_case some_case` left joined with `recharge_transaction recharge`. */
export const caseColumns = Prisma.sql`
  some_case.id,
  some_case.kind,
  some_case.transaction_id as "transactionId",
  some_case.client_id as "clientId",
  some_case.account_id as "accountId",
  some_case.subject,
  some_case.amount_minor as "amountMinor",
  some_case.currency,
  some_case.opened_at as "openedAt",
  some_case.closed_at as "closedAt",
  case when some_case.evidence is null then some_case.detail
    else some_case.detail || jsonb_build_object('given', some_case.evidence) end as evidence,
  some_case.verb,
  some_case.actor,
  some_case.reason,
  some_case.resolution as words,
  some_case.suspended,
  ${ownLineOf('some_case')} as "ownLine",
  recharge.state,
  recharge.provider,
  recharge.provider_account as "providerAccount",
  recharge.kind as "rechargeKind",
  case when some_case.closed_at is null and recharge.id is not null then ${casesInJson} end as cases,
  case when some_case.closed_at is null and some_case.kind = 'statement_theirs_only' then ${namesOrder({
    provider: Prisma.sql`(some_case.detail ->> 'provider')`,
    providerAccount: Prisma.sql`(some_case.detail ->> 'providerAccount')`,
    reference: Prisma.sql`(some_case.detail ->> 'reference')`,
    orderId: Prisma.sql`(some_case.detail ->> 'orderId')`,
  })} end as "namesOrder"`;

export function viewOf(row: CaseRow, isRefunding: IsRefunding): CaseView {
  const { verb, actor, reason, words, suspended, ownLine, state, rechargeKind: kind, cases, ...kept } = row;
  const { provider, providerAccount, namesOrder: isOfOrder, ...shown } = kept;
  const one: KnownCase = {
    ...{ id: row.id, kind: row.kind, isOpen: row.closedAt === null, isAboutRecharge: true },
    ...heldOf({ suspended, ownLine }),
  };
  const isReturnable =
    provider !== null &&
    providerAccount !== null &&
    kind !== null &&
    canReturn({ kind, provider, providerAccount }, isRefunding);
  const facts = {
    ...factsOf(one, { state, cases: knownCases(cases ?? []).cases, isReturnable }),
    isLineIn: isOfOrder === false && row.evidence.direction === 'in',
  };
  return {
    ...shown,
    sums: suspended.length,
    verbs: verbsFor(row.kind, facts),
    resolution: row.closedAt && { verb, actor, reason: reason ?? words ?? '', at: row.closedAt },
  };
}

/** A refund cannot be refunded. */
export const canReturn = (
  { kind, provider, providerAccount }: OrderMaker,
  isRefunding: IsRefunding,
): boolean => (kind === 'collect' || kind === 'deliver') && isRefunding(provider, providerAccount);
