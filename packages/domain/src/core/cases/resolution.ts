import { isSameMoney, type Money } from '../money/money.js';
import {
  type Journal,
  journalOnEntering,
  nextSlot,
  outOfSuspense,
  type Parties,
  suspenseJournal,
} from '../money/postings.js';
import { type News, type State, step, type Verdict } from '../recharge.js';
import type { KnownCase, SuspendedMoney } from './case-kinds.js';
import { factsOf, isUnderWay, type Verb, verbsFor } from './case-verbs.js';

/** A person's decision about a case of a recharge. */
export type Resolution = Readonly<{
  caseId: string;
  verb: Verb;
  reason: string;
  /** Whether the provider pays back an order like the one that moved the money. */
  isReturnable: boolean;
  /** The number of suspended sums of the case that the decision was approved for. More sums may have come since. */
  seenSums: number;
}>;

type Resolvable = Readonly<{ state: State; slots: readonly string[]; cases: readonly KnownCase[] }>;

/**
 * Why a resolution cannot be carried out. Null: it can. `case_changed`: money has come to the case since its decision was
 * approved, so the approval is judged again.
 */
export type ResolutionRefusal = 'no_case' | 'case_closed' | 'verb_not_offered' | 'case_changed';

export function refusalOf(r: Resolvable, resolution: Resolution): ResolutionRefusal | null {
  const one = r.cases.find(({ id }) => id === resolution.caseId);
  if (!one) return 'no_case';
  if (!one.isOpen) return 'case_closed';
  const offered = verbsFor(one.kind, factsOf(one, { ...r, isReturnable: resolution.isReturnable }));
  if (!offered.includes(resolution.verb)) return 'verb_not_offered';
  return one.suspended.length === resolution.seenSums ? null : 'case_changed';
}

/** What a resolution does to its recharge. `reported` is the news that its transition shows. */
export type Resolved = Readonly<{
  reported: News;
  verdict: Verdict;
  to: State;
  journal: Journal | null;
  furtherJournal: Journal | null;
  failure: Readonly<{ code: string; message: string }> | null;
  /** The money to pay back to its payer, and the order that moved it. */
  returned: SuspendedMoney | null;
  /** Whether the order is sent again, as if the provider had never had it. */
  isSentAgain: boolean;
  /** The order of a recharge that has none yet. Null leaves it without one. */
  providerOrderId: string | null;
}>;

/**
 * The only place that decides what each verb does.
 * @throws if the resolution is refused; `refusalOf` tells why
 */
export function resolve(r: Resolvable, parties: Parties, resolution: Resolution): Resolved {
  const refusal = refusalOf(r, resolution);
  if (refusal !== null) throw new Error(`${resolution.verb} is refused: ${refusal}`);
  const one = r.cases.find(({ id }) => id === resolution.caseId)!;
  return effects[resolution.verb](r, parties, one, resolution);
}

type Effect = (r: Resolvable, parties: Parties, one: KnownCase, resolution: Resolution) => Resolved;

const effects: Record<Verb, Effect> = {
  adopt: (r, parties, one) => {
    if (one.ownLine) return succeedsByLine(r, parties, one.ownLine);
    const own =
      one.kind === 'late_money' ? one.suspended.find((some) => isSameMoney(some, parties.money)) : undefined;
    const others = one.suspended.filter((some) => some !== own);
    const end = own ? ends(r, 'adopted') : withoutWrongAmount(r, parties, one, CREDITED);
    const adopted = own ? outOfSuspense(parties, [own], 'adopt') : null;
    const credited = others.length > 0 ? outOfSuspense(parties, others, nextSlot('credit', r.slots)) : null;
    const [journal = null, furtherJournal = null] = [end.journal, adopted, credited].filter(
      (some) => some !== null,
    );
    return { ...end, journal, furtherJournal };
  },
  return: (r, parties, one) => ({
    ...withoutWrongAmount(r, parties, one, RETURNED),
    returned: { ...sumOf(one.suspended), providerOrderId: one.suspended[0]!.providerOrderId },
  }),
  fail: (r, parties, _one, { reason }) => declined(r, parties, { code: 'PAYMENT_FAILED', message: reason }),
  resubmit: (r) => ({ ...ends(r, 'resolved'), isSentAgain: true }),
  dismiss: (r) => ends(r, 'resolved'),
};

/** The line shows that the order moved the money of a recharge that had failed. */
const succeedsByLine = (r: Resolvable, parties: Parties, money: SuspendedMoney): Resolved => ({
  ...ends(r, 'adopted'),
  journal: suspenseJournal(parties, parties.money, nextSlot('suspense', r.slots)),
  furtherJournal: outOfSuspense(parties, [parties.money], 'adopt'),
  providerOrderId: money.providerOrderId,
});

const CREDITED =
  'the provider settled another amount than the one that was asked for, and that amount is in the wallet';
const RETURNED =
  'the provider settled another amount than the one that was asked for, and that amount is paid back';

const ends = (r: Resolvable, reported: News): Resolved => ({
  reported,
  ...step(r.state, reported),
  ...{ journal: null, furtherJournal: null, failure: null, returned: null, isSentAgain: false },
  providerOrderId: null,
});

const declined = (r: Resolvable, parties: Parties, failure: NonNullable<Resolved['failure']>): Resolved => {
  const end = ends(r, 'declined');
  return { ...end, failure, journal: journalOnEntering(end.to, parties) };
};

/** A recharge never succeeds with another amount. So it ends as FAILED if its own order moved another amount. */
const withoutWrongAmount = (r: Resolvable, parties: Parties, one: KnownCase, message: string): Resolved =>
  one.kind === 'wrong_amount' && isUnderWay(r.state)
    ? declined(r, parties, { code: 'WRONG_AMOUNT', message })
    : ends(r, 'resolved');

const sumOf = (moneys: readonly Money[]): Money => ({
  amountMinor: moneys.reduce((sum, { amountMinor }) => sum + amountMinor, 0n),
  currency: moneys[0]!.currency,
});
