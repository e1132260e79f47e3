import {
  BURST_MS,
  type DecisionReason,
  decideRule,
  type PauseReason,
  type RuleDecision,
} from './rule-decision.js';
import type { BurnRate, RuleFacts, RuleSpending } from './rule-facts.js';
import { monthStartOf } from './rule-hours.js';
import type { RuleTerms } from './rule-terms.js';

/** A balance that an account had from a time on: the figure of it that the rule compares. */
export type BalancePoint = Readonly<{ at: Date; minor: bigint }>;

export type TestedRecharge = Readonly<{
  at: Date;
  balanceMinor: bigint;
  amountMinor: bigint;
  because: DecisionReason;
}>;

/** What a rule would have done on balances of the past. */
export type BackTest = Readonly<{
  from: Date | null;
  to: Date | null;
  /** The number of stored balances on which the rule was tried. */
  balances: number;
  looks: number;
  recharges: readonly TestedRecharge[];
  totalMinor: bigint;
  /** The number of times that the rule was held back, by reason. */
  heldBack: Readonly<Partial<Record<DecisionReason, number>>>;
  /** When and why the rule would have paused until a person resumes it. Null: it would not have paused. */
  paused: Readonly<{ at: Date; because: PauseReason }> | null;
  /** The lowest balance with the rule and without it. */
  lowestMinor: bigint | null;
  lowestWithoutMinor: bigint | null;
}>;

const DAY_MS = 86_400_000;
const BURN_DAYS = 7;
/** The most looks between two balances. A look is made where something that held the rule back ends. */
const LOOKS_BETWEEN_MAX = 50;
const times = { balanceMaxAgeMs: Number.POSITIVE_INFINITY, backoffMs: 0 };

/**
 * Tries a rule on balances of the past, oldest first. Each recharge arrives at once and raises all later balances.
 * Recharges that were really made are part of the balances.
 */
export function backTest(terms: RuleTerms, points: readonly BalancePoint[]): BackTest {
  const past = new Past(terms, points);
  for (const [nth, point] of points.entries()) {
    past.reach(point);
    let at = point.at;
    for (let looks = 0; looks < LOOKS_BETWEEN_MAX; looks++) {
      const { until } = past.look(at);
      const next = points[nth + 1];
      if (past.paused !== null || until === null || next === undefined || until >= next.at) break;
      at = until;
    }
    if (past.paused !== null) break;
  }
  return past.result();
}

class Past {
  readonly #terms: RuleTerms;
  readonly #points: readonly BalancePoint[];
  readonly #seen: BalancePoint[] = [];
  readonly #recharges: TestedRecharge[] = [];
  readonly #heldBack: Partial<Record<DecisionReason, number>> = {};
  #addedMinor = 0n;
  #looks = 0;
  #lowest: bigint | null = null;
  paused: BackTest['paused'] = null;

  constructor(terms: RuleTerms, points: readonly BalancePoint[]) {
    this.#terms = { ...terms, expiresAt: null, mode: 'execute' };
    this.#points = points;
  }

  reach(point: BalancePoint): void {
    this.#seen.push(point);
    const minor = point.minor + this.#addedMinor;
    if (this.#lowest === null || minor < this.#lowest) this.#lowest = minor;
  }

  look(at: Date): RuleDecision {
    const balanceMinor = this.#seen.at(-1)!.minor + this.#addedMinor;
    const decision = decideRule(this.#terms, this.#factsAt(at, balanceMinor), times, at);
    const { decided, because, amountMinor, pause } = decision;
    this.#looks++;
    if (decided === 'held_back') this.#heldBack[because] = (this.#heldBack[because] ?? 0) + 1;
    if (pause !== null) this.paused = { at, because: pause };
    if (decided === 'recharge' && amountMinor !== null) {
      this.#recharges.push({ at, balanceMinor, amountMinor, because });
      this.#addedMinor += amountMinor;
    }
    return decision;
  }

  #factsAt(at: Date, minor: bigint): RuleFacts {
    const last = this.#recharges.at(-1);
    const settled = { isUnderWay: false, hasOpenCase: false, isPaidBack: false, isCanary: false };
    return {
      ...{ isStopped: false, hasKey: true, target: 'agreed', isNewPayee: false, underWayMinor: 0n },
      reading: { minor, cashMinor: minor, at },
      last: last ? { at: last.at, ...settled } : null,
      spending: spendingOf(this.#recharges, at, this.#terms),
      wider: [],
      declines: { inARow: 0, lastAt: null, lasting: null },
      burn: burnOf(this.#seen, at),
      activeSince: this.#points[0]!.at,
    };
  }

  result(): BackTest {
    return {
      from: this.#points[0]?.at ?? null,
      to: this.#points.at(-1)?.at ?? null,
      balances: this.#points.length,
      looks: this.#looks,
      recharges: this.#recharges,
      totalMinor: this.#addedMinor,
      heldBack: this.#heldBack,
      paused: this.paused,
      lowestMinor: this.#lowest,
      lowestWithoutMinor: lowestOf(this.#points),
    };
  }
}

function lowestOf(points: readonly BalancePoint[]): bigint | null {
  let lowest: bigint | null = null;
  for (const { minor } of points) if (lowest === null || minor < lowest) lowest = minor;
  return lowest;
}

function spendingOf(recharges: readonly TestedRecharge[], at: Date, { timeZone }: RuleTerms): RuleSpending {
  const since = (from: number) => recharges.filter((one) => one.at.getTime() > from);
  const sum = (some: readonly TestedRecharge[]) =>
    some.reduce((total, { amountMinor }) => total + amountMinor, 0n);
  const day = since(at.getTime() - DAY_MS);
  const month = since(monthStartOf(at, timeZone).getTime() - 1);
  return {
    dayMinor: sum(day),
    timesInDay: day.length,
    dayFreeAt: day[0] ? new Date(day[0].at.getTime() + DAY_MS) : null,
    monthMinor: sum(month),
    timesInMonth: month.length,
    timesInBurst: since(at.getTime() - BURST_MS).length,
  };
}

/** The falls of the balance in the days before. */
function burnOf(seen: readonly BalancePoint[], at: Date): BurnRate | null {
  const from = at.getTime() - BURN_DAYS * DAY_MS;
  const first = seen.findLastIndex((point) => point.at.getTime() <= from);
  const window = seen.slice(Math.max(0, first));
  const knownMs = Math.min(at.getTime() - window[0]!.at.getTime(), BURN_DAYS * DAY_MS);
  if (knownMs < DAY_MS) return null;
  const used = window.reduce((total, point, nth) => {
    const fall = nth === 0 ? 0n : window[nth - 1]!.minor - point.minor;
    return fall > 0n ? total + fall : total;
  }, 0n);
  return { perDayMinor: (used * BigInt(DAY_MS)) / BigInt(knownMs), days: Math.floor(knownMs / DAY_MS) };
}
