import { type ApprovalLimits, needsApproval } from '../access/approval.js';
import { type QuietHours, type RuleTerms, ruleModes } from './rule-terms.js';

/** All that a client agrees to with a rule: the terms, how its recharges are made, and where their money goes. */
export type AgreedVersion = Readonly<{
  terms: RuleTerms;
  recharge: Readonly<{ paymentMethod: string; destination: string; kind: string; funding: string }>;
  /** The account of the payee. Null: the money stays in the wallet. */
  target: string | null;
}>;

/** A field of a rule in which a version charges more, oftener or elsewhere. The values are texts, null where it has none. */
export type Widening = Readonly<{ field: string; before: string | null; after: string | null }>;

/**
 * Whether a rule may create more by itself than the limits of its key or of its payee. As with a plan it is the sum that
 * counts: the most that the rule may create in a month. A rule that only tells creates nothing, and what a rule proposes
 * waits for a person each time.
 */
export const isAboveLimits = (
  { mode, caps }: RuleTerms,
  currency: string,
  keyLimits: ApprovalLimits,
  payeeLimits: ApprovalLimits,
): boolean => mode === 'execute' && needsApproval(keyLimits, payeeLimits, caps.perMonthMinor, currency);

/**
 * The fields in which a version goes beyond the one in force. A change that cannot be compared, such as another time
 * zone, counts as one. Empty: the version charges the same or less, at most as often, and at the same place.
 */
export function widenings(before: AgreedVersion, after: AgreedVersion): Widening[] {
  const [old, terms] = [before.terms, after.terms];
  const differs = (one: string, other: string): boolean => one !== other;
  return [
    ...widened('balance', old.balance, terms.balance, (one, other) => one !== other && other === 'cash'),
    ...widened('below', old.belowMinor, terms.belowMinor, isMore),
    ...widened('recharge', amountText(old), amountText(terms), () => isLargerRecharge(old, terms)),
    ...widenedCaps(old.caps, terms.caps),
    ...widened('cooldownSeconds', old.cooldownSeconds, terms.cooldownSeconds, (one, other) => other < one),
    ...widened('canary', old.canaryMinor, terms.canaryMinor, isLooser),
    ...widened('runwayDays', old.runwayDays ?? 0, terms.runwayDays ?? 0, isMore),
    ...widened(
      'mode',
      old.mode,
      terms.mode,
      (one, other) => ruleModes.indexOf(other) > ruleModes.indexOf(one),
    ),
    ...widened('quietHours', quietText(old.quietHours), quietText(terms.quietHours), isLessQuiet),
    ...widened('timeZone', old.timeZone, terms.timeZone, differs),
    ...widened('expiresAt', timeText(old.expiresAt), timeText(terms.expiresAt), isLooser),
    ...widened('dormantAfterDays', old.dormantAfterDays, terms.dormantAfterDays, isLooser),
    ...widened('paymentMethod', wayText(before), wayText(after), differs),
    ...widened('destination', before.recharge.destination, after.recharge.destination, differs),
    ...widened('payee', before.target, after.target, (one, other) => one !== other),
  ];
}

type Kept = string | number | bigint | null;

const widened = <Value extends Kept>(
  field: string,
  before: Value,
  after: Value,
  isBeyond: (before: Value, after: Value) => boolean,
): Widening[] => (isBeyond(before, after) ? [{ field, before: textOf(before), after: textOf(after) }] : []);

const textOf = (value: Kept): string | null => (value === null ? null : String(value));
const timeText = (at: Date | null): string | null => at?.toISOString() ?? null;
const quietText = (quiet: QuietHours | null): string | null => quiet && `${quiet.from}-${quiet.to}`;
const wayText = ({ recharge: { paymentMethod, kind, funding } }: AgreedVersion): string =>
  `${paymentMethod} (${kind}, ${funding})`;
const amountText = ({ recharge }: RuleTerms): string =>
  'upToMinor' in recharge ? `up to ${recharge.upToMinor}` : String(recharge.amountMinor);

const isMore = <Value extends number | bigint>(before: Value, after: Value): boolean => after > before;

/** A limit that is null does not limit. */
const isLooser = <Value extends string | number | bigint>(
  before: Value | null,
  after: Value | null,
): boolean => before !== null && (after === null || after > before);

/**
 * Any other quiet hours may be loud where the old ones were quiet. Only new quiet hours where there were none before
 * are certainly quieter.
 */
const isLessQuiet = (before: string | null, after: string | null): boolean =>
  before !== null && after !== before;

function isLargerRecharge({ recharge: before }: RuleTerms, { recharge: after }: RuleTerms): boolean {
  if ('upToMinor' in before && 'upToMinor' in after) return after.upToMinor > before.upToMinor;
  if ('amountMinor' in before && 'amountMinor' in after) return after.amountMinor > before.amountMinor;
  return true;
}

const widenedCaps = (before: RuleTerms['caps'], after: RuleTerms['caps']): Widening[] => [
  ...widened('caps.perRecharge', before.perRechargeMinor, after.perRechargeMinor, isMore),
  ...widened('caps.perDay', before.perDayMinor, after.perDayMinor, isMore),
  ...widened('caps.perMonth', before.perMonthMinor, after.perMonthMinor, isMore),
  ...widened('caps.timesPerDay', before.timesPerDay, after.timesPerDay, isLooser),
  ...widened('caps.timesPerMonth', before.timesPerMonth, after.timesPerMonth, isLooser),
];
