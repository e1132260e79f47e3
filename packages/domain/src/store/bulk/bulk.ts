/**
 * The verbs that can be done to many things at once. None of them moves money: a verb that does is confirmed one by one,
 * with its postings shown and with an approval where one is needed.
 */
export const bulkVerbs = ['recheck', 'dismiss'] as const;
export type BulkVerb = (typeof bulkVerbs)[number];

export type BulkStatus = 'draft' | 'running' | 'stopped' | 'finished';

/** The most items of one bulk verb. */
export const BULK_MAX = 1_000;

/** A verb on many recharges or cases, with its progress. */
export type BulkView = Readonly<{
  id: string;
  verb: BulkVerb;
  /** The address of the list that its items were on. */
  filter: string;
  /** Whether the list may have had more items than the bulk verb took. */
  isCut: boolean;
  reason: string;
  /** The person who made the bulk verb, or who started it once it is started. */
  actor: string;
  role: string;
  status: BulkStatus;
  createdAt: Date;
  endedAt: Date | null;
  items: number;
  done: number;
}>;

/** The items of one currency, with their sum. Currency and sum are null for the items without a certain amount. */
export type BulkSum = Readonly<{ currency: string | null; items: number; amountMinor: bigint | null }>;

export type BulkItem = Readonly<{
  position: number;
  subject: string;
  amountMinor: bigint | null;
  currency: string | null;
  /** `done`, or why nothing was done. Null: the turn of the item has not come yet. */
  outcome: string | null;
  doneAt: Date | null;
}>;

export type NewBulk = Readonly<{
  verb: BulkVerb;
  filter: string;
  isCut: boolean;
  reason: string;
  items: readonly Readonly<{ subject: string; amountMinor: bigint | null; currency: string | null }>[];
}>;

/** A bulk verb that a worker carries out. */
export type TakenBulk = Readonly<{ id: string; verb: BulkVerb; reason: string; actor: string; role: string }>;

/** `over`: the bulk verb has ended, or is stopped. */
export type NextBulkItem = Readonly<{ position: number; subject: string }> | 'over';

/**
 * What became of an item. `filesAct`: whether its act still has to be filed, because carrying it out has not filed it.
 */
export type DoneItem = Readonly<{
  bulk: TakenBulk;
  position: number;
  subject: string;
  outcome: string;
  filesAct: boolean;
}>;
