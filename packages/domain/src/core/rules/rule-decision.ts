import { amountOf, runwayMinor } from './rule-amount.js';
import type { CapName } from './rule-caps.js';
import { comparedMinor, type LastingFailure, type RuleFacts } from './rule-facts.js';
import { quietUntil } from './rule-hours.js';
import type { RuleTerms } from './rule-terms.js';

/** Why a rule no longer acts until a person resumes it, or approves it. */
export const pauseReasons = [
  'BY_REQUEST',
  'APPROVAL',
  'NOT_APPROVED',
  'DECLINED_REPEATEDLY',
  'BURST',
  'PAYEE_GONE',
  'PAYEE_CHANGED',
  'AUTHENTICATION_REQUIRED',
  'SOURCE_REFUSED',
  'PAID_BACK',
  'KEY_GONE',
] as const;
export type PauseReason = (typeof pauseReasons)[number];

export const decisionReasons = [
  // recharge
  'BELOW_THRESHOLD',
  'RUNWAY_SHORT',
  // nothing
  'ENOUGH',
  'DORMANT',
  'NOTIFY_ONLY',
  'EXPIRED',
  // held back for now
  'STOPPED',
  'BALANCE_UNKNOWN',
  'NO_CASH_FIGURE',
  'UNDER_WAY',
  'CASE_OPEN',
  'COOLDOWN',
  'QUIET_HOURS',
  'CAP_REACHED',
  'OWNER_CAP',
  'SOURCE_CAP',
  'FLEET_CAP',
  'BACK_OFF',
  // held back by the statement that would have created the recharge
  'INSUFFICIENT_BALANCE',
  'KEY_CEILING',
  'BEYOND_BALANCE',
  'OTHER_CURRENCY',
  'NO_PROVIDER',
] as const;
export type DecisionReason = (typeof decisionReasons)[number] | PauseReason;

/** The decision of one look. */
export type RuleDecision = Readonly<{
  decided: 'recharge' | 'nothing' | 'held_back';
  because: DecisionReason;
  /** The amount to recharge, or that would have been. Null: none is needed. */
  amountMinor: bigint | null;
  /** The rule pauses with this code. Null: it does not pause. */
  pause: PauseReason | null;
  /** The rule has ended. */
  isExpired: boolean;
  /** When the thing that holds the rule back ends by itself. Null: nobody knows. */
  until: Date | null;
  /** The cap that holds the rule back. Null: no cap does. */
  cap: CapName | null;
}>;

export type RuleTimes = Readonly<{
  /** The greatest age of a balance that decides. */
  balanceMaxAgeMs: number;
  /** The pause after a first decline. It doubles with each further one. */
  backoffMs: number;
}>;

/** A rule that creates this many recharges within `BURST_MS` pauses instead of creating another one. */
export const BURST_MAX = 5;
export const BURST_MS = 600_000;
/** A rule pauses after this many declines in a row. */
export const DECLINES_MAX = 3;
const DAY_MS = 86_400_000;

/**
 * Decides what a rule does now. Pure: the same terms, facts and time give the same decision.
 *
 * What ends or stops the rule comes first, then whether the balance needs anything, then what pauses the rule until a
 * person looks at it, then the brakes that end by themselves. So a rule whose balance is enough is never "held back".
 */
export function decideRule(terms: RuleTerms, facts: RuleFacts, times: RuleTimes, now: Date): RuleDecision {
  if (terms.expiresAt !== null && terms.expiresAt <= now) return { ...nothing('EXPIRED'), isExpired: true };
  if (facts.isStopped) return heldBack('STOPPED');
  if (!facts.hasKey) return paused('KEY_GONE');
  if (facts.target === 'gone') return paused('PAYEE_GONE');
  if (facts.target === 'changed') return paused('PAYEE_CHANGED');
  const { reading } = facts;
  if (reading === null || now.getTime() - reading.at.getTime() > times.balanceMaxAgeMs)
    return heldBack('BALANCE_UNKNOWN');
  const balance = comparedMinor(terms, reading);
  if (balance === null) return heldBack('NO_CASH_FIGURE');
  const need = needOf(terms, facts, balance);
  if (need === null) return nothing('ENOUGH');
  const { amountMinor, cap } = amountOf(terms, facts, balance, now);
  // No more may be recharged: with the money under way, the balance is as high as the rule allows.
  if (amountMinor <= 0n) return balance < terms.belowMinor ? heldBack('UNDER_WAY') : nothing('ENOUGH');
  const brake = underWayOf(terms, facts, balance) ?? pauseOf(facts) ?? brakeOf(terms, facts, now);
  if (brake) return { ...brake, amountMinor };
  if (isDormant(terms, facts, now)) return { ...nothing('DORMANT'), amountMinor };
  if (cap !== null) return { ...heldBack(cap.because, cap.until), amountMinor, cap: cap.cap };
  if (facts.declines.inARow > 0) {
    const until = backoffEnd(facts, times);
    if (until > now) return { ...heldBack('BACK_OFF', until), amountMinor };
  }
  switch (terms.mode) {
    case 'notify':
      return { ...nothing('NOTIFY_ONLY'), amountMinor };
    case 'propose':
    case 'execute':
      return { ...made('recharge', need), amountMinor };
  }
}

/** Why the balance needs a recharge. Null: the balance needs none. */
function needOf(
  terms: RuleTerms,
  facts: RuleFacts,
  balance: bigint,
): 'BELOW_THRESHOLD' | 'RUNWAY_SHORT' | null {
  if (balance < terms.belowMinor) return 'BELOW_THRESHOLD';
  const lasting = runwayMinor(terms, facts);
  return lasting !== null && balance < lasting ? 'RUNWAY_SHORT' : null;
}

/** A recharge of the rule is under way, or what is under way to the balance is enough. */
function underWayOf(terms: RuleTerms, facts: RuleFacts, balance: bigint): RuleDecision | null {
  if (facts.last?.isUnderWay) return heldBack('UNDER_WAY');
  const isEnough = facts.underWayMinor > 0n && needOf(terms, facts, balance + facts.underWayMinor) === null;
  return isEnough ? heldBack('UNDER_WAY') : null;
}

const pauseAfter: Readonly<Record<LastingFailure, PauseReason>> = {
  payee_gone: 'PAYEE_GONE',
  payer_needed: 'AUTHENTICATION_REQUIRED',
  source_gone: 'SOURCE_REFUSED',
};

/** Why the rule pauses until a person has looked at it. Null: the rule does not pause. */
function pauseOf({ last, declines, spending }: RuleFacts): RuleDecision | null {
  if (last?.hasOpenCase) return heldBack('CASE_OPEN');
  if (last?.isPaidBack) return paused('PAID_BACK');
  if (declines.lasting !== null) return paused(pauseAfter[declines.lasting]);
  if (declines.inARow >= DECLINES_MAX) return paused('DECLINED_REPEATEDLY');
  return spending.timesInBurst >= BURST_MAX ? paused('BURST') : null;
}

/** What holds the rule back for now and ends by itself. Null: nothing does. */
function brakeOf(terms: RuleTerms, { last, isNewPayee }: RuleFacts, now: Date): RuleDecision | null {
  // The small first recharge to a payee is the canary. Once it has arrived, the rest follows without the cooldown.
  const isRest = last?.isCanary === true && !isNewPayee;
  if (last !== null && !isRest) {
    const until = new Date(last.at.getTime() + terms.cooldownSeconds * 1_000);
    if (until > now) return heldBack('COOLDOWN', until);
  }
  const loudAt = quietUntil(now, terms.quietHours, terms.timeZone);
  return loudAt === null ? null : heldBack('QUIET_HOURS', loudAt);
}

const backoffEnd = ({ declines }: RuleFacts, { backoffMs }: RuleTimes): Date =>
  new Date((declines.lastAt?.getTime() ?? 0) + backoffMs * 2 ** (declines.inARow - 1));

/** Nothing was used up for many days, so nobody needs the money. */
function isDormant({ dormantAfterDays }: RuleTerms, { burn, activeSince }: RuleFacts, now: Date): boolean {
  if (dormantAfterDays === null || burn === null || burn.perDayMinor > 0n) return false;
  const activeDays = (now.getTime() - activeSince.getTime()) / DAY_MS;
  return burn.days >= dormantAfterDays && activeDays >= dormantAfterDays;
}

const made = (decided: RuleDecision['decided'], because: DecisionReason): RuleDecision => ({
  decided,
  because,
  amountMinor: null,
  pause: null,
  isExpired: false,
  until: null,
  cap: null,
});
const nothing = (because: DecisionReason): RuleDecision => made('nothing', because);
const heldBack = (because: DecisionReason, until: Date | null = null): RuleDecision => ({
  ...made('held_back', because),
  until,
});
const paused = (pause: PauseReason): RuleDecision => ({ ...made('held_back', pause), pause });
