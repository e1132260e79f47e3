import { type CapRoom, reasonOfScope, roomsOf } from './rule-caps.js';
import type { RuleFacts } from './rule-facts.js';
import { nextMonthStartOf } from './rule-hours.js';
import type { RuleTerms } from './rule-terms.js';

/** The amount of a recharge, and the cap that forbids it. */
export type RuleAmount = Readonly<{ amountMinor: bigint; cap: CapRoom | null }>;

/** The balance that lasts as long as the terms want. Null: they want no such thing, or there is no history. */
export const runwayMinor = (
  { runwayDays }: Pick<RuleTerms, 'runwayDays'>,
  { burn }: Pick<RuleFacts, 'burn'>,
): bigint | null => (runwayDays === null || burn === null ? null : burn.perDayMinor * BigInt(runwayDays));

/**
 * The amount, and the cap that forbids it. A fixed amount is created whole or not at all. A recharge up to an amount
 * may be smaller where a cap leaves less, as long as it ends what the balance lacks: it lifts the balance to the
 * threshold, or makes it last long enough. A few cents that end nothing would use up the times of a cap.
 */
export function amountOf(terms: RuleTerms, facts: RuleFacts, balance: bigint, now: Date): RuleAmount {
  const { belowMinor, recharge, caps } = terms;
  const there = balance + facts.underWayMinor;
  const wanted = 'upToMinor' in recharge ? recharge.upToMinor - there : recharge.amountMinor;
  const whole = least(wanted, caps.perRechargeMinor);
  const one = isCanary(terms, facts) ? least(whole, terms.canaryMinor!) : whole;
  const room = tightestOf(terms, facts, now);
  if (one <= room.leftMinor) return { amountMinor: one, cap: null };
  const lackedMinor = balance < belowMinor ? belowMinor : (runwayMinor(terms, facts) ?? belowMinor);
  const isPartOfUse = 'upToMinor' in recharge && room.leftMinor > 0n && there + room.leftMinor >= lackedMinor;
  return isPartOfUse ? { amountMinor: room.leftMinor, cap: null } : { amountMinor: one, cap: room };
}

/** Whether the next recharge is small, to see whether it arrives. */
export const isCanary = ({ canaryMinor }: RuleTerms, { isNewPayee }: RuleFacts): boolean =>
  canaryMinor !== null && isNewPayee;

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);

/** What the tightest of the rule's own and the wider caps leaves. A rule always has caps of its own. */
function tightestOf(terms: RuleTerms, facts: RuleFacts, now: Date): CapRoom {
  const own = { because: 'CAP_REACHED', monthEndsAt: nextMonthStartOf(now, terms.timeZone) } as const;
  const monthEndsAt = nextMonthStartOf(now, 'UTC');
  const rooms = [
    ...roomsOf(terms.caps, facts.spending, own),
    ...facts.wider.flatMap(({ scope, limits, used }) =>
      roomsOf(limits, used, { because: reasonOfScope[scope], monthEndsAt }),
    ),
  ];
  return rooms.reduce((tightest, room) => (room.leftMinor < tightest.leftMinor ? room : tightest));
}
