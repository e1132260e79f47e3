import { createHash } from 'node:crypto';

/** What a link says about one row. `body` is the row's text at the time when it was noted. */
export type Said = Readonly<{ source: string; rowKey: string; body: string }>;

/** The body of a row that was deleted before it was sealed. */
export const GONE = 'null';

/** The hash before the first link. */
export const GENESIS = Buffer.alloc(32);

/** The hash of a link covers the hash before it, so a change of any row changes every hash after it. */
export const hashOf = (before: Uint8Array, { source, rowKey, body }: Said): Buffer =>
  createHash('sha256').update(before).update(`${source}\n${rowKey}\n${body}`).digest();

/** The newest link: the number of rows in the chain, and the hash over all of them. */
export type Head = Readonly<{ seq: bigint; hash: string; sealedAt: Date | null }>;
