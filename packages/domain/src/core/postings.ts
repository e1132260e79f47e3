import type { Money } from './money.js';
import type { State } from './recharge.js';

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

/** What pays a delivery: the account's wallet, or the company's own account at the provider. */
export const fundings = ['wallet', 'house'] as const;
export type Funding = (typeof fundings)[number];

/**
 * The cause of a journal. A recharge has at most one journal per slot, and only one of `collect`, `settle` and
 * `reverse`. The database refuses a second one.
 */
export type Slot = 'collect' | 'hold' | 'settle' | 'reverse' | 'suspense';

/** Moves money from the debited to the credited account. A balance is the credits less the debits. */
export type Posting = Readonly<{ debit: string; credit: string; money: Money }>;
export type Journal = Readonly<{ slot: Slot; postings: readonly Posting[] }>;

export type Parties = Readonly<{
  kind: Kind;
  funding: Funding;
  accountId: string;
  provider: string;
  /** The name of our account at the provider. */
  providerAccount: string;
  money: Money;
}>;

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
};

/** The journal of a recharge that enters a state. Null if that moves no money. */
export const journalOnEntering = (state: State, r: Parties): Journal | null =>
  entries[`${directionOf[r.kind]} ${r.funding}`][state]?.(r) ?? null;

/**
 * Posts money that moved late or in another amount to suspense. `money` is the amount that the provider reports.
 * Money that came in credits suspense, and money that went out debits it.
 */
export const suspenseJournal = (r: Parties, money: Money): Journal =>
  suspenseJournals[directionOf[r.kind]](r, money);

const suspenseJournals: Record<Direction, (r: Parties, money: Money) => Journal> = {
  in: (r, money) => journal('suspense', clearing(r.provider), suspense(r.provider), money),
  out: (r, money) => journal('suspense', suspense(r.provider), clearing(r.provider), money),
};

const journal = (slot: Slot, debit: string, credit: string, money: Money): Journal => ({
  slot,
  postings: [{ debit, credit, money }],
});
