import type { Money } from './money.js';
import type { State } from './recharge.js';

/** collect: money comes in through the provider. deliver: paid from the wallet, goes out through the provider. */
export const kinds = ['collect', 'deliver'] as const;
export type Kind = (typeof kinds)[number];

/**
 * The cause a journal is posted for, at most once a recharge. `collect`, `settle` and `reverse` exclude each other:
 * the database refuses a second of them.
 */
export type Slot = 'collect' | 'hold' | 'settle' | 'reverse' | 'suspense';

/** Moves money from the debited to the credited account, so a balance is its credits less its debits. */
export type Posting = Readonly<{ debit: string; credit: string; money: Money }>;
export type Journal = Readonly<{ slot: Slot; postings: readonly Posting[] }>;

export type Parties = Readonly<{ kind: Kind; accountId: string; provider: string; money: Money }>;

export const wallet = (accountId: string, part: 'available' | 'frozen'): string =>
  `wallet:${accountId}:${part}`;
export const clearing = (provider: string): string => `provider:${provider}:clearing`;
export const suspense = (provider: string): string => `suspense:${provider}`;

/** Freezes what a delivery will cost, in the same commit that creates it. */
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

/** What the books say when a recharge enters a state. Null where entering it moves no money. */
export const journalOnEntering = (state: State, r: Parties): Journal | null =>
  entries[r.kind][state]?.(r) ?? null;

/**
 * Money that moved and that nobody can place yet: late, or another amount. `money` is what the provider says. What was
 * collected came in and is owed to somebody; what was delivered went out and is owed by somebody.
 */
export const quarantine = (r: Parties, money: Money): Journal => quarantines[r.kind](r, money);

const quarantines: Record<Kind, (r: Parties, money: Money) => Journal> = {
  collect: (r, money) => journal('suspense', clearing(r.provider), suspense(r.provider), money),
  deliver: (r, money) => journal('suspense', suspense(r.provider), clearing(r.provider), money),
};

const journal = (slot: Slot, debit: string, credit: string, money: Money): Journal => ({
  slot,
  postings: [{ debit, credit, money }],
});
