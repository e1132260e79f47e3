import { z } from 'zod';
import { milliseconds } from './numbers.js';

/** Times of the rules of automatic recharge. */
export const ruleSettings = {
  /** Time between two looks of a rule at its balance. */
  RULE_LOOK_MS: milliseconds(100, 86_400_000).optional(),
  /** The pause of a rule after a first decline. It doubles with each further one. */
  RULE_BACKOFF_MS: milliseconds(100, 604_800_000).optional(),
  /** Days until looks of rules that created nothing are deleted, and stored balances. A back-test needs 30 days. */
  RULE_LOOKS_KEPT_DAYS: z.coerce.number().int().min(31).max(36_500).default(100),
} as const;

type RuleDefaults = Readonly<{ RULE_LOOK_MS: number; RULE_BACKOFF_MS: number }>;

/** The defaults. On a developer machine a person watches what a rule does. */
export const ruleTimes = (isProduction: boolean): RuleDefaults =>
  isProduction
    ? { RULE_LOOK_MS: 60_000, RULE_BACKOFF_MS: 3_600_000 }
    : { RULE_LOOK_MS: 5_000, RULE_BACKOFF_MS: 2_000 };
