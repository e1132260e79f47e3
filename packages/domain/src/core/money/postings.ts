import type { State } from '../recharge.js';
import type { Money } from './money.js';

/**
 * The effects that a recharge can have outside.
 * - `collect`: money comes in through the provider.
 * - `deliver`: money goes out through the provider.
 * - `refund`: collected money goes back to its payer.
 * - `recall`: delivered money comes back.
 */
export const kinds = ['collect', 'deliver', 'refund', 'recall'] as const;
export type Kind = (typeof kinds)[number];

export const directionOf = {
  collect: 'in',
  deliver: 'out',
  refund: 'out',
  recall: 'in',
} as const satisfies Record<Kind, string>;
type Direction = (typeof directionOf)[Kind];

/**
 * What pays a delivery: the account's wallet, or the company's own account at the provider. A refund that returns money
 * from suspense is paid by suspense.
 */
export const fundings = ['wallet', 'house', 'suspense'] as const;
export type Funding = (typeof fundings)[number];

/**
 * The cause of a journal. A recharge has at most one journal per slot, and only one of `collect`, `settle` and
 * `reverse`. The database refuses a second one. Money may come to suspense several times, so its slots have a number from
 * the second on: `suspense`, `suspense_2`.
 * - `adopt`: late money out of suspense that makes its recharge succeed.
 * - `credit`: other money out of suspense to the account of its recharge.
 */
export type Slot = 'collect' | 'hold' | 'settle' | 'reverse' | 'adopt' | Repeated<'suspense' | 'credit'>;
type Repeated<Name extends string> = Name | `${Name}_${number}`;

/** The slot of the next journal of a name that a recharge with these slots may have several of. */
export function nextSlot(name: 'suspense' | 'credit', slots: readonly string[]): Slot {
  const count = slots.filter((slot) => slot === name || slot.startsWith(`${name}_`)).length;
  return count === 0 ? name : `${name}_${count + 1}`;
}

/** Moves money from the debited to the credited account. A balance is the credits less the debits. */
export type Posting = Readonly<{ debit: string; credit: string; money: Money }>;
export type Journal = Readonly<{ slot: Slot; postings: readonly Posting[] }>;

export type Parties = Readonly<{
  kind: Kind;
  funding: Funding;
  /** What paid the recharge whose money a refund returns from suspense. Null or missing: it is no such refund. */
  returnedFunding?: Funding | null;
  accountId: string;
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  money: Money;
}>;

export const partiesOf = (r: Omit<Parties, 'money'> & Money): Parties => ({
  kind: r.kind,
  funding: r.funding,
  returnedFunding: r.returnedFunding ?? null,
  accountId: r.accountId,
  provider: r.provider,
  providerAccount: r.providerAccount,
  money: { amountMinor: r.amountMinor, currency: r.currency },
});

export const wallet = (accountId: string, part: 'available' | 'frozen'): string =>
  `wallet:${accountId}:${part}`;
export const clearing = (provider: string): string => `provider:${provider}:clearing`;
export const suspense = (provider: string): string => `suspense:${provider}`;
export const house = (providerAccount: string): string => `house:${providerAccount}`;

/** Whether a recharge freezes its amount in the wallet until it is final. */
export const isHeld = ({ kind, funding }: Pick<Parties, 'kind' | 'funding'>): boolean =>
  directionOf[kind] === 'out' && funding === 'wallet';

/** Freezes the amount of a recharge that the wallet pays, in the commit that creates the recharge. */
export const holdOf = (r: Pick<Parties, 'accountId' | 'money'>): Journal =>
  journal('hold', wallet(r.accountId, 'available'), wallet(r.accountId, 'frozen'), r.money);

type Entry = (r: Parties) => Journal;

const available = (r: Parties): string => wallet(r.accountId, 'available');
const frozen = (r: Parties): string => wallet(r.accountId, 'frozen');
const through = (r: Parties): string => clearing(r.provider);
const ofHouse = (r: Parties): string => house(r.providerAccount);
const release: Entry = (r) => journal('reverse', frozen(r), available(r), r.money);

const entries: Record<`${Direction} ${Funding}`, Partial<Record<State, Entry>>> = {
  'in wallet': {
    SUCCEEDED: (r) => journal('collect', through(r), available(r), r.money),
  },
  'in house': {
    SUCCEEDED: (r) => journal('collect', through(r), ofHouse(r), r.money),
  },
  'out wallet': {
    SUCCEEDED: (r) => journal('settle', frozen(r), through(r), r.money),
    FAILED: release,
    CANCELED: release,
  },
  'out house': {
    SUCCEEDED: (r) => journal('settle', ofHouse(r), through(r), r.money),
  },
  'in suspense': {
    SUCCEEDED: (r) => journal('collect', through(r), suspense(r.provider), r.money),
  },
  'out suspense': {
    SUCCEEDED: (r) => journal('settle', suspense(r.provider), through(r), r.money),
  },
};

/** The journal of a recharge that enters a state. Null if that moves no money. */
export const journalOnEntering = (state: State, r: Parties): Journal | null =>
  entries[`${directionOf[r.kind]} ${r.funding}`][state]?.(r) ?? null;

/**
 * Posts money that moved late or in another amount to suspense. `money` is the amount that the provider reports.
 * Money that came in credits suspense, and money that went out debits it.
 */
export const suspenseJournal = (r: Parties, money: Money, slot: Slot): Journal =>
  suspenseJournals[directionOf[r.kind]](r, money, slot);

const suspenseJournals: Record<Direction, (r: Parties, money: Money, slot: Slot) => Journal> = {
  in: (r, money, slot) => journal(slot, clearing(r.provider), suspense(r.provider), money),
  out: (r, money, slot) => journal(slot, suspense(r.provider), clearing(r.provider), money),
};

/**
 * Takes money out of suspense. Money that came in goes to the account, and the account pays for money that went out. A
 * refund that suspense should have paid is paid by the wallet, because its money went there meanwhile. Or by the house,
 * if it paid the delivery whose money comes back.
 */
export function outOfSuspense(r: Parties, moneys: readonly Money[], slot: Slot): Journal {
  const funding = r.funding === 'suspense' ? r.returnedFunding : r.funding;
  const own = funding === 'house' ? ofHouse(r) : available(r);
  const held = suspense(r.provider);
  const isIn = directionOf[r.kind] === 'in';
  return {
    slot,
    postings: moneys.map(({ amountMinor, currency }) => ({
      ...(isIn ? { debit: held, credit: own } : { debit: own, credit: held }),
      money: { amountMinor, currency },
    })),
  };
}

const journal = (slot: Slot, debit: string, credit: string, money: Money): Journal => ({
  slot,
  postings: [{ debit, credit, money }],
});

/** Whether a refund that suspense pays ends without success by a move, so that its money stays in suspense. */
export const keepsSuspense = (
  { funding, state }: Readonly<{ funding: Funding; state: State }>,
  to: State,
): boolean => funding === 'suspense' && to !== state && (to === 'FAILED' || to === 'CANCELED');
