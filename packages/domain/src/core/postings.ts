import type { Money } from './money.js';
import type { State } from './recharge.js';

/** `collect`: money comes in through the provider. `deliver`: money of the wallet goes out through the provider. */
export const kinds = ['collect', 'deliver'] as const;
export type Kind = (typeof kinds)[number];

/**
 * The cause of a journal. A recharge has at most one journal per slot, and only one of `collect`, `settle` and
 * `reverse`. The database refuses a second one.
 */
export type Slot = 'collect' | 'hold' | 'settle' | 'reverse' | 'suspense';

/** Moves money from the debited to the credited account. A balance is the credits less the debits. */
export type Posting = Readonly<{ debit: string; credit: string; money: Money }>;
export type Journal = Readonly<{ slot: Slot; postings: readonly Posting[] }>;

export type Parties = Readonly<{ kind: Kind; accountId: string; provider: string; money: Money }>;

export const wallet = (accountId: string, part: 'available' | 'frozen'): string =>
  `wallet:${accountId}:${part}`;
export const clearing = (provider: string): string => `provider:${provider}:clearing`;
export const suspense = (provider: string): string => `suspense:${provider}`;

/** Freezes the amount of a delivery, in the commit that creates the delivery. */
export const holdOf = (r: Parties): Journal =>
  journal('hold', wallet(r.accountId, 'available'), wallet(r.accountId, 'frozen'), r.money);

type Entry = (r: Parties) => Journal;

const entries: Record<Kind, Partial<Record<State, Entry>>> = {
  collect: {
    SUCCEEDED: (r) => journal('collect', clearing(r.provider), wallet(r.accountId, 'available'), r.money),
  },
  deliver: {
    SUCCEEDED: (r) => journal('settle', wallet(r.accountId, 'frozen'), clearing(r.provider), r.money),
    FAILED: (r) => release(r),
    CANCELED: (r) => release(r),
  },
};

const release: Entry = (r) =>
  journal('reverse', wallet(r.accountId, 'frozen'), wallet(r.accountId, 'available'), r.money);

/** The journal of a recharge that enters a state. Null if that moves no money. */
export const journalOnEntering = (state: State, r: Parties): Journal | null =>
  entries[r.kind][state]?.(r) ?? null;

/**
 * Posts money that moved late or in another amount to suspense. `money` is the amount that the provider reports.
 * Collected money came in, so suspense is credited. Delivered money went out, so suspense is debited.
 */
export const suspenseJournal = (r: Parties, money: Money): Journal => suspenseJournals[r.kind](r, money);

const suspenseJournals: Record<Kind, (r: Parties, money: Money) => Journal> = {
  collect: (r, money) => journal('suspense', clearing(r.provider), suspense(r.provider), money),
  deliver: (r, money) => journal('suspense', suspense(r.provider), clearing(r.provider), money),
};

const journal = (slot: Slot, debit: string, credit: string, money: Money): Journal => ({
  slot,
  postings: [{ debit, credit, money }],
});
