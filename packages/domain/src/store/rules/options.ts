import type { WiderLimits } from '../../core/rules/rule-caps.js';
import type { LastingFailure } from '../../core/rules/rule-facts.js';
import { databaseClock, movedClock } from './look/clock.js';
import type { FilingOptions } from './look/file-decision.js';
import type { RuleOptions } from './rules.js';

/** The times of rules, as a process may set them. */
export type RuleWishes = Readonly<{
  /** The time between two looks of a rule. Default: a minute. */
  ruleLookMs?: number;
  /** The pause of a rule after a first decline. Default: an hour. */
  ruleBackoffMs?: number;
  /** The caps over the rules of a client, of a source account, and over all rules. Default: none. */
  ruleCaps?: WiderLimits;
  /** The codes of declines that no later recharge changes. A failed recharge's message begins with its code. */
  lastingDeclines?: Readonly<Record<string, LastingFailure>>;
  /** The clock of the rules. Default: the database's. */
  ruleClock?: () => Date;
}>;

// A balance decides while it is younger than two looks.
const LOOKS_OF_A_BALANCE = 2;
const BALANCE_AGE_MIN_MS = 30_000;

export function ruleOptionsOf(
  {
    ruleLookMs: lookMs = 60_000,
    ruleBackoffMs: backoffMs = 3_600_000,
    ruleCaps: wider = {},
    lastingDeclines = {},
    ruleClock,
  }: RuleWishes,
  { hintLimitMs, lanedProviders, approving, newId }: Omit<FilingOptions, 'wider'>,
  random: () => number,
): RuleOptions {
  const balanceMaxAgeMs = Math.max(BALANCE_AGE_MIN_MS, LOOKS_OF_A_BALANCE * lookMs);
  const clock = ruleClock ? movedClock(ruleClock) : databaseClock;
  return {
    hintLimitMs,
    lanedProviders,
    approving,
    newId,
    wider,
    lastingDeclines,
    clock,
    lookMs,
    random,
    times: { balanceMaxAgeMs, backoffMs },
  };
}
