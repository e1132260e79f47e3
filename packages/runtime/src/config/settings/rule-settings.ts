import { z } from 'zod';
import { milliseconds } from '../numbers.js';

/** The limits of a cap in one currency. What is left out has no limit. Amounts are minor units. */
export type CapSetting = Readonly<{
  perDayMinor: bigint | null;
  perMonthMinor: bigint | null;
  timesPerDay: number | null;
  timesPerMonth: number | null;
}>;

const CAP = /^[A-Z]{3}(:(perDay|perMonth)=\d{1,16}|:(timesPerDay|timesPerMonth)=\d{1,9})+$/;
const CAPS_FORM =
  'is not <currency>:perDay=<minor units>:perMonth=<minor units>:timesPerDay=<n>:timesPerMonth=<n>, ... with one or more limits';

/** `USD:perDay=100:timesPerDay=5,CNY:perMonth=900` as limits per currency. Null: it has another form. */
function capsIn(text: string): Record<string, CapSetting> | null {
  const read: Record<string, CapSetting> = {};
  for (const one of text.split(',').map((part) => part.trim())) {
    const [currency, ...limits] = one.split(':') as [string, ...string[]];
    const named = new Map(limits.map((limit) => limit.split('=') as [string, string]));
    if (!CAP.test(one) || named.size !== limits.length || Object.hasOwn(read, currency)) return null;
    const minor = (name: string) => (named.has(name) ? BigInt(named.get(name)!) : null);
    const times = (name: string) => (named.has(name) ? Number(named.get(name)) : null);
    read[currency] = {
      ...{ perDayMinor: minor('perDay'), perMonthMinor: minor('perMonth') },
      ...{ timesPerDay: times('timesPerDay'), timesPerMonth: times('timesPerMonth') },
    };
  }
  return read;
}

const caps = z.string().transform((text, context) => {
  const read = capsIn(text);
  if (read !== null) return read;
  context.addIssue({ code: 'custom', message: CAPS_FORM });
  return z.NEVER;
});

/** Settings of the rules of automatic recharge. */
export const ruleSettings = {
  /** Time between two looks of a rule at its balance. */
  RULE_LOOK_MS: milliseconds(100, 86_400_000).optional(),
  /** The pause of a rule after a first decline. It doubles with each further one. */
  RULE_BACKOFF_MS: milliseconds(100, 604_800_000).optional(),
  /**
   * The most that the rules of one client may create, per currency: `USD:perDay=1000000:timesPerMonth=50,CNY:...`, in
   * minor units. A currency that is not named may not be used.
   */
  RULE_CAPS_OWNER: caps.optional(),
  /** The same limits for all rules whose recharges one account of ours at a provider pays. */
  RULE_CAPS_SOURCE: caps.optional(),
  /** The same limits for all rules together. */
  RULE_CAPS_FLEET: caps.optional(),
  /** Days until looks of rules that created nothing, and stored balances, are deleted. A back-test needs 30 days. */
  RULE_LOOKS_KEPT_DAYS: z.coerce.number().int().min(31).max(36_500).default(100),
} as const;

type RuleDefaults = Readonly<{ RULE_LOOK_MS: number; RULE_BACKOFF_MS: number }>;

/** The defaults. On a developer machine they are short, because a person watches what a rule does. */
export const ruleTimes = (isProduction: boolean): RuleDefaults =>
  isProduction
    ? { RULE_LOOK_MS: 60_000, RULE_BACKOFF_MS: 3_600_000 }
    : { RULE_LOOK_MS: 5_000, RULE_BACKOFF_MS: 2_000 };
