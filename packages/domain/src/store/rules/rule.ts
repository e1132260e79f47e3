import type { Funding, Kind } from '../../core/money/postings.js';
import type { DecisionReason, PauseReason, RuleDecision } from '../../core/rules/rule-decision.js';
import type { RuleTerms, StoredTerms } from '../../core/rules/rule-terms.js';
import type { Widening } from '../../core/rules/rule-widening.js';
import { Prisma } from '../../generated/client.js';
import type { MoneyDestination } from '../recharges/creation/new-recharge.js';
import type { RuleCounts } from './look/outcomes.js';

export type RuleStatus = 'active' | 'paused' | 'expired' | 'deleted';
export type RuleWatch = 'cloud' | 'wallet';

/** How the recharges of a rule are made. */
export type RuleRechargeForm = Readonly<{
  kind: Kind;
  funding: Funding;
  paymentMethod: string;
  destination: MoneyDestination;
  metadata: Readonly<Record<string, string>>;
}>;

/** A validated request for a rule. */
export type NewRule = Readonly<{
  id: string;
  clientId: string;
  keyId: string;
  /** Who agrees to the terms, in words. */
  actor: string;
  idempotencyKey: string | null;
  accountId: string;
  currency: string;
  watch: RuleWatch;
  terms: RuleTerms;
  recharge: RuleRechargeForm;
}>;

/** One look, as it was filed. `balanceMinor` is null where the balance was not known. */
export type FiledDecision = Readonly<{
  seq: number;
  at: Date;
  balanceMinor: bigint | null;
  decided: RuleDecision['decided'];
  because: DecisionReason;
  amountMinor: bigint | null;
  transactionId: string | null;
  numbers: Readonly<Record<string, unknown>>;
}>;

/** When the balance is used up, if nothing comes in. Null where it is not known. */
export type RuleForecast = Readonly<{
  balanceMinor: bigint | null;
  asOf: Date | null;
  burnPerDayMinor: bigint | null;
  runsOutAt: Date | null;
}>;

/** What a version waits for: a second person has to approve it. */
export type RuleWaiting = Readonly<{
  approvalId: string;
  since: Date;
  until: Date;
  /**
   * The fields in which the version goes beyond the terms in force. Empty: no terms are in force yet, or a paused rule
   * is to act again.
   */
  widens: readonly Widening[];
}>;

/** A rule as its client sees it. */
export type RuleView = Omit<NewRule, 'actor' | 'idempotencyKey'> &
  Readonly<{
    status: RuleStatus;
    pausedBecause: PauseReason | null;
    /** The version that waits for a second person. Null: none does. */
    waiting: RuleWaiting | null;
    /** All rules are stopped. */
    isStopped: boolean;
    /** Who agreed to the present terms, when, their hash, and where the money goes. */
    consent: Readonly<{
      actor: string;
      at: Date;
      termsHash: string;
      termsVersion: number;
      target: string | null;
    }>;
    /** The counts of the last 24 hours. */
    inDay: RuleCounts;
    lastDecision: FiledDecision | null;
    forecast: RuleForecast;
    createdAt: Date;
    updatedAt: Date;
  }>;

/** A rule as its row is read. */
export type RuleRow = Omit<NewRule, 'terms' | 'actor' | 'idempotencyKey'> &
  Readonly<{
    terms: StoredTerms;
    termsVersion: number;
    target: string | null;
    /** The version that waits for an approval. Null: none does. */
    proposalId: string | null;
    /** False: the terms are those of a new rule that needs an approval. */
    inForce: boolean;
    status: RuleStatus;
    pausedBecause: PauseReason | null;
    activeSince: Date;
    decisions: number;
    burn: Readonly<{ perDayMinor: string; days: number }> | null;
    version: number;
    createdAt: Date;
    updatedAt: Date;
  }>;

/** The columns of `rule`, a row of `recharge_rule`. */
export const ruleColumns = Prisma.sql`
  rule.id,
  rule.client_id as "clientId",
  rule.key_id as "keyId",
  rule.account_id as "accountId",
  rule.currency,
  rule.watch,
  rule.terms,
  rule.terms_version as "termsVersion",
  rule.recharge,
  rule.target,
  rule.proposal_id as "proposalId",
  rule.in_force as "inForce",
  rule.status,
  rule.paused_because as "pausedBecause",
  rule.active_since as "activeSince",
  rule.decisions,
  rule.burn,
  rule.version,
  rule.created_at as "createdAt",
  rule.updated_at as "updatedAt"`;

/** The name of the place where a rule's money goes. It reads the relation `payee`, which has one row or none. */
export const payeeName = Prisma.sql`
  payee.provider || ':' || payee.provider_account || ':' || payee.to_account`;

/** The name of our account that delivers to a payee. It reads the relation `payee`, which has one row or none. */
export const payeeSource = Prisma.sql`payee.provider || '/' || payee.provider_account`;

/** The figure that `rule` compares. Of `watched`, a row of `watched_account` or none. */
export const watchedFigure = Prisma.sql`
  case when rule.terms ->> 'balance' = 'cash' then watched.cash_minor else watched.balance_minor end`;

/** The available balance of the wallet of `rule`. */
export const walletOf = Prisma.sql`
  select wallet.balance_minor
  from ledger_account wallet
  where wallet.name = 'wallet:' || rule.account_id || ':available' and wallet.currency = rule.currency`;
