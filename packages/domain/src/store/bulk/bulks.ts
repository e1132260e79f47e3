import type { Store } from '../database/database.js';
import type { Actor } from '../operators/file-action.js';
import type { BulkItem, BulkSum, BulkView, DoneItem, NewBulk, NextBulkItem, TakenBulk } from './bulk.js';
import { createBulk, moveBulk } from './change.js';
import { bulkById, itemsOf, listBulks } from './read.js';
import { fileItem, nextItem, takeBulk } from './work.js';

export * from './bulk.js';

export interface Bulks {
  /**
   * Stores the items, which do not change any more. Nothing is done to them until the bulk verb is started.
   * @throws for more than BULK_MAX items
   */
  create(bulk: NewBulk, by: Actor): Promise<string>;
  /** One bulk verb with its sums. Null if there is none. */
  one(id: string): Promise<Readonly<{ bulk: BulkView; sums: readonly BulkSum[] }> | null>;
  /** The items in their order, all of them. */
  items(id: string): Promise<BulkItem[]>;
  /** The bulk verbs, newest first. */
  list(beforeId: string | null, limit: number): Promise<BulkView[]>;
  /** Lets the workers begin, in the name of this person. False: the bulk verb is no draft any more. */
  start(id: string, by: Actor): Promise<boolean>;
  /** Ends a bulk verb before its next item. False: it has ended already. */
  stop(id: string): Promise<boolean>;
  /** Leases the bulk verb that has been due for longest. Null: none is due. */
  take(): Promise<TakenBulk | null>;
  /**
   * The next item, with a new lease to carry it out. This ends the bulk verb after its last item, and stops it when the
   * person who started it may not decide any more.
   */
  next(id: string): Promise<NextBulkItem>;
  /** Files what became of an item, once. */
  file(item: DoneItem): Promise<unknown>;
}

export const openBulks = (
  { run, read }: Pick<Store, 'run' | 'read'>,
  { newId }: Readonly<{ newId: () => string }>,
): Bulks => ({
  create: (bulk, by) => createBulk(run, newId(), bulk, by),
  one: (id) => bulkById(read, id),
  items: (id) => itemsOf(read, id),
  list: (beforeId, limit) => listBulks(read, beforeId, limit),
  start: (id, by) => moveBulk(run, id, { to: 'running', by }),
  stop: (id) => moveBulk(run, id, { to: 'stopped' }),
  take: () => takeBulk(run),
  next: (id) => nextItem(run, id),
  file: (item) => fileItem(run, newId(), item),
});
