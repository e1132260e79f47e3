import type { Store } from '../database/database.js';
import { type ChainCheck, checkChain, checkHead, type HeadCheck, headOf } from './check.js';
import type { Head } from './links.js';
import { seal } from './seal.js';

/**
 * One chain of hashes over journals, transitions, cases, operators' actions and keys, in the order in which they were committed. A later
 * change of such a row breaks the chain.
 */
export interface Chain {
  /** Adds what was written since. Ends within a few seconds, so a timer may call it. Returns the number of new links. */
  seal(): Promise<number>;
  /** The newest link, to be kept outside the database, and the number of rows that wait for a link, 1,000 at most. */
  head(): Promise<Head & Readonly<{ unsealed: number }>>;
  /** Recomputes the whole chain. @param telling called with the number of links that were checked */
  check(telling?: (seq: bigint) => void): Promise<ChainCheck>;
  /** Checks whether the chain still begins with the links that an earlier head covers. */
  checkHead(head: Pick<Head, 'seq' | 'hash'>): Promise<HeadCheck>;
}

export const openChain = ({ run, read, survey }: Pick<Store, 'run' | 'read' | 'survey'>): Chain => ({
  seal: () => seal(run),
  head: () => headOf(read),
  check: (telling) => checkChain(survey, telling),
  checkHead: (head) => checkHead(read, head),
});
