import { isCanary } from '../../../core/rules/rule-amount.js';
import type { CapLimits, WiderCap } from '../../../core/rules/rule-caps.js';
import type { RuleDecision } from '../../../core/rules/rule-decision.js';
import type { RuleFacts } from '../../../core/rules/rule-facts.js';
import type { RuleTerms } from '../../../core/rules/rule-terms.js';
import type { RuleCounters } from './counters.js';
import type { RuleState } from './facts.js';

type DecidedOn = Readonly<{
  terms: RuleTerms;
  facts: RuleFacts;
  decision: RuleDecision;
  state: Pick<RuleState, 'termsVersion' | 'inDay'>;
  counters: RuleCounters;
}>;

/** What a decision was made on, in the form in which it is kept. With its terms it can be taken again. */
export function numbersOf({
  terms,
  facts,
  decision,
  state,
  counters,
}: DecidedOn): Readonly<Record<string, unknown>> {
  const { spending, declines, burn } = facts;
  return {
    ...readingToStore(terms, facts.reading),
    below: String(terms.belowMinor),
    underWay: String(facts.underWayMinor),
    spentInDay: String(spending.dayMinor),
    spentInMonth: String(spending.monthMinor),
    timesInDay: spending.timesInDay,
    timesInMonth: spending.timesInMonth,
    timesInBurst: spending.timesInBurst,
    declines: declines.inARow,
    rechargesInDay: state.inDay.recharges,
    declinesInDay: state.inDay.declines,
    burnPerDay: burn === null ? null : String(burn.perDayMinor),
    burnDays: burn?.days ?? null,
    ...standingToStore(facts),
    termsVersion: state.termsVersion,
    until: decision.until,
    cap: decision.cap,
    ...(isCanary(terms, facts) && decision.amountMinor !== null ? { isCanary: true } : {}),
    ...(facts.wider.length === 0 ? {} : { wider: facts.wider.map((cap) => widerOf(cap, counters)) }),
  };
}

/** The state of the rule and of its newest recharge. Facts with their usual value are left out. */
function standingToStore({ last, declines, spending, activeSince, ...facts }: RuleFacts) {
  return {
    activeSince,
    ...(facts.isStopped && { isStopped: true }),
    ...(!facts.hasKey && { keyIsGone: true }),
    ...(facts.target !== 'agreed' && { target: facts.target }),
    ...(facts.isNewPayee && { isNewPayee: true }),
    ...(spending.dayFreeAt && { dayFreeAt: spending.dayFreeAt }),
    ...(declines.lastAt && { lastDeclineAt: declines.lastAt }),
    ...(declines.lasting && { lastingDecline: declines.lasting }),
    ...(last && { lastAt: last.at }),
    ...(last?.isUnderWay && { lastIsUnderWay: true }),
    ...(last?.hasOpenCase && { lastHasOpenCase: true }),
    ...(last?.isPaidBack && { lastIsPaidBack: true }),
    ...(last?.isCanary && { lastIsCanary: true }),
  };
}

/** Both figures of the balance, and which of them was compared. */
const readingToStore = ({ balance }: RuleTerms, reading: RuleFacts['reading']) => ({
  figure: balance,
  available: reading && String(reading.minor),
  cash: reading?.cashMinor == null ? null : String(reading.cashMinor),
  balanceAt: reading?.at ?? null,
});

/** A wider cap with what it had counted. `tell_decision` reads the names and the limits. */
const widerOf = ({ scope, limits, used }: WiderCap, { names, currency }: RuleCounters) => ({
  ...{ scope, name: names[scope], currency, limits: limitsToStore(limits) },
  spentInDay: String(used.dayMinor),
  spentInMonth: String(used.monthMinor),
  timesInDay: used.timesInDay,
  timesInMonth: used.timesInMonth,
});

const limitsToStore = (limits: CapLimits): Record<string, string> =>
  Object.fromEntries(
    Object.entries(limits).flatMap(([name, limit]) => (limit === null ? [] : [[name, String(limit)]])),
  );
