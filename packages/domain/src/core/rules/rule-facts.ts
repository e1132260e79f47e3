import type { WiderCap, WindowUse } from './rule-caps.js';
import type { BalanceFigure } from './rule-terms.js';

/** How fast a balance is used up. Recharges and refunds are taken out. */
export type BurnRate = Readonly<{ perDayMinor: bigint; days: number }>;

/** The newest recharge of a rule. What makes people look is also told of the few before it. */
export type RuleRecharge = Readonly<{
  at: Date;
  isUnderWay: boolean;
  /** Whether a person has to answer a question about the recharge, or about one before it. */
  hasOpenCase: boolean;
  /** Whether the recharge, or one before it, was refunded or recalled. */
  isPaidBack: boolean;
  /** Whether the recharge was small on purpose, because nothing had arrived at its payee before. */
  isCanary: boolean;
}>;

/**
 * What a rule has created. The counts include recharges that failed. The month is a calendar month in the time zone of
 * the rule.
 */
export type RuleSpending = WindowUse &
  Readonly<{
    /** The recharges within the time of a burst, counted only since a person last resumed the rule. */
    timesInBurst: number;
  }>;

/**
 * Why the next recharge would fail too: the payee is gone at its provider, a person has to pay or to confirm, or what
 * pays may not be used any more.
 */
export const lastingFailures = ['payee_gone', 'payer_needed', 'source_gone'] as const;
export type LastingFailure = (typeof lastingFailures)[number];

/**
 * The newest recharges of a rule that the provider declined one after the other. What a person ended is no decline.
 * `lasting` is of the newest recharge. Null: a later one may succeed.
 */
export type RuleDeclines = Readonly<{ inARow: number; lastAt: Date | null; lasting: LastingFailure | null }>;

/**
 * A balance: all that can be spent, and the cash in it. `cashMinor` is null if the provider does not tell the cash
 * apart from credit and vouchers.
 */
export type BalanceReading = Readonly<{ minor: bigint; cashMinor: bigint | null; at: Date }>;

/** The figure of a reading that the terms compare. Null: it is not known. */
export const comparedMinor = (
  { balance }: Readonly<{ balance: BalanceFigure }>,
  { minor, cashMinor }: Pick<BalanceReading, 'minor' | 'cashMinor'>,
): bigint | null => (balance === 'cash' ? cashMinor : minor);

/** Everything that a decision depends on, except for the terms and the time. */
export type RuleFacts = Readonly<{
  /** All rules are stopped. */
  isStopped: boolean;
  /** The key that agreed to the terms may still be used. */
  hasKey: boolean;
  /** Where the money goes: as agreed, to another payee, or nowhere since the payee is gone. */
  target: 'agreed' | 'changed' | 'gone';
  /** The money goes to a payee at which nothing of the account has arrived yet. */
  isNewPayee: boolean;
  /** The last reading of the balance. Null: it was never read. */
  reading: BalanceReading | null;
  /** Money under way to the balance, of this rule and of others. */
  underWayMinor: bigint;
  last: RuleRecharge | null;
  spending: RuleSpending;
  /** The caps over the rule and others. */
  wider: readonly WiderCap[];
  declines: RuleDeclines;
  /** How fast the balance is used up. Null: there is not enough history. */
  burn: BurnRate | null;
  /** The time since which the rule acts on these terms. */
  activeSince: Date;
}>;
