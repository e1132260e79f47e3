import {
  holdOf,
  isHeld,
  type Journal,
  journalOnEntering,
  type Kind,
  outOfSuspense,
  type Parties,
} from '../../core/money/postings.js';
import { news, type State, states, step } from '../../core/recharge.js';
import type { EvidencePack, PackedPosting, PackedRecharge, PackedTransition } from './pack.js';

/** The faults of transitions and postings that show without any link. */
export function checkBooksOf(pack: EvidencePack): string[] {
  const recharges = [pack.recharge, ...pack.parts.map((part) => part.recharge)];
  const known = new Set(recharges.map(({ transactionId }) => transactionId));
  const inexact = pack.postings.filter(({ amount }) => !Number.isSafeInteger(amount) || amount <= 0);
  const strangers = [...pack.transitions, ...pack.postings].filter((row) => !known.has(row.transactionId));
  return [
    ...(pack.recharge.transactionId === pack.transactionId ? [] : ['the pack is about another recharge']),
    ...inexact.map(({ entryId }) => `the amount of entry ${entryId} is no exact amount`),
    ...strangers.map(
      ({ transactionId }) => `a row of ${transactionId} is in the pack, which is no part of it`,
    ),
    ...(inexact.length > 0
      ? []
      : [...recharges.flatMap((recharge) => faultsOf(pack, recharge)), ...sumFaults(pack)]),
  ];
}

function faultsOf({ transitions, postings }: EvidencePack, recharge: PackedRecharge): string[] {
  const isIts = (row: Readonly<{ transactionId: string }>) => row.transactionId === recharge.transactionId;
  const steps = transitions.filter(isIts);
  return [
    ...transitionFaults(recharge, steps),
    ...postingFaults(recharge, steps, postings.filter(isIts)),
  ].map((fault) => `${recharge.transactionId}: ${fault}`);
}

function transitionFaults({ state }: PackedRecharge, steps: readonly PackedTransition[]): string[] {
  const faults: string[] = [];
  let now: string = 'CREATED';
  for (const [nth, { seq, from, to, verdict, news: heard }] of steps.entries()) {
    if (seq !== nth + 1) faults.push(`transition ${nth + 1} is missing or out of order`);
    if (from !== now) faults.push(`transition ${seq} begins in ${from} and not in ${now}`);
    if (verdict === 'moved' ? !isMove(from, heard, to) : to !== from)
      faults.push(`transition ${seq} (${heard}) does not lead from ${from} to ${to}`);
    now = to;
  }
  if (now !== state) faults.push(`the transitions end in ${now}, and the recharge is ${state}`);
  return faults;
}

function isMove(from: string, heard: string, to: string): boolean {
  if (!isOneOf(states, from) || !isOneOf(news, heard)) return false;
  const { verdict, to: reached } = step(from, heard);
  return verdict === 'moved' && reached === to;
}

const isOneOf = <Word extends string>(words: readonly Word[], text: string): text is Word =>
  (words as readonly string[]).includes(text);

// Journals in other slots move money that came late, or in another amount. No state calls for them.
const OF_STATES = ['hold', 'collect', 'settle', 'reverse', 'adopt'];

function postingFaults(
  recharge: PackedRecharge,
  steps: readonly PackedTransition[],
  postings: readonly PackedPosting[],
): string[] {
  const found = postings.filter(({ slot }) => OF_STATES.includes(slot)).map(textOf);
  const wanted = wantedPostings(recharge, steps);
  return [
    ...wanted.filter((one) => !found.includes(one)).map((one) => `the posting ${one} is missing`),
    ...found
      .filter((one, nth) => !wanted.includes(one) || found.indexOf(one) !== nth)
      .map((one) => `no state calls for the posting ${one}`),
  ];
}

/** The postings that the states call for that a recharge went through. */
function wantedPostings(recharge: PackedRecharge, steps: readonly PackedTransition[]): string[] {
  const parties = partiesOf(recharge);
  const moves = steps.filter(({ verdict }) => verdict === 'moved');
  const journals = moves.flatMap(({ news: heard, to }) =>
    heard === 'adopted' ? adoption(parties) : (journalOnEntering(to as State, parties) ?? []),
  );
  return [...(isHeld(parties) ? [holdOf(parties)] : []), ...journals].flatMap(({ slot, postings }) =>
    postings.map(({ debit, credit, money: { amountMinor, currency } }) =>
      textOf({ slot, debit, credit, amount: Number(amountMinor), currency }),
    ),
  );
}

/** Late money makes its recharge succeed only in the amount that was asked for. */
const adoption = (parties: Parties): Journal[] => [outOfSuspense(parties, [parties.money], 'adopt')];

const textOf = ({
  slot,
  debit,
  credit,
  amount,
  currency,
}: Pick<PackedPosting, 'slot' | 'debit' | 'credit' | 'amount' | 'currency'>): string =>
  `${slot}: ${debit} -> ${credit} ${amount} ${currency}`;

function partiesOf({ kind, direction, funding, accountId, provider, providerAccount, ...r }: PackedRecharge) {
  const stored: Kind = kind === 'refund' && direction === 'in' ? 'recall' : kind;
  const money = { amountMinor: BigInt(r.amount), currency: r.currency };
  return { kind: stored, funding, accountId, provider, providerAccount, money } as Parties;
}

function sumFaults({ postings, sums }: EvidencePack): string[] {
  const computed = new Map<string, bigint>();
  const add = (account: string, currency: string, amount: bigint) =>
    computed.set(`${account} ${currency}`, (computed.get(`${account} ${currency}`) ?? 0n) + amount);
  for (const { debit, credit, amount, currency } of postings) {
    add(debit, currency, -BigInt(amount));
    add(credit, currency, BigInt(amount));
  }
  const told = new Map(sums.map(({ account, currency, sum }) => [`${account} ${currency}`, String(sum)]));
  return [...new Set([...computed.keys(), ...told.keys()])].flatMap((name) => {
    const sum = String(computed.get(name) ?? 0n);
    return told.get(name) === sum
      ? []
      : [`the postings of ${name} add up to ${sum}, and not to ${told.get(name)}`];
  });
}
