import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Destination } from '../contract/order.js';

/** The terms of a transfer that its remark vouches for. */
export type TransferTerms = Readonly<{
  reference: string;
  amountMinor: bigint;
  currency: string;
  destination: Destination & { from: string };
}>;

/** Keys of the remarks' MAC. The first makes remarks, all of them check: rows of an old key stay recognizable. */
export type RemarkKeys = readonly [Buffer, ...Buffer[]];

/**
 * `ours`: the remark proves that the row is this order. `unproven`: it names the order without the proof. `blank`: it is
 * missing or cut, so the row may be any transfer with the same money. `other`: the row is certainly another transfer.
 */
export type RemarkMeaning = 'ours' | 'unproven' | 'blank' | 'other';

const PREFIX = 'RPL1';
// 48 bits: a guess has to be typed into a remark by hand, and each one moves money.
const MAC_HEX_DIGITS = 12;
// The provider's limit of a remark is not published. Prefix, UUID and MAC have 54 characters.
const REFERENCE = /^[A-Za-z0-9._:-]{1,64}$/;

/** The remark of a transfer: our id with a short MAC. @throws for a reference that a remark cannot carry */
export function remarkOf(terms: TransferTerms, [key]: RemarkKeys): string {
  if (!REFERENCE.test(terms.reference)) throw new RangeError('the reference does not fit into a remark');
  return `${PREFIX} ${terms.reference} ${macOf(terms, key)}`;
}

/**
 * The MAC covers the terms, so a remark that was copied to a transfer with other terms proves nothing. It tells our
 * transfers from those that a person made in the provider's console.
 */
function macOf({ reference, amountMinor, currency, destination: { from, to } }: TransferTerms, key: Buffer) {
  const text = [PREFIX, reference.toLowerCase(), from, to, String(amountMinor), currency].join('\n');
  return createHmac('sha256', key).update(text).digest('hex').slice(0, MAC_HEX_DIGITS);
}

const MARK = /RPL1 ([A-Za-z0-9._:-]{1,64}) ([0-9a-f]{12})(?![0-9a-z])/gi;

/** What the remark of a listed row says about an order. */
export function meaningOf(remark: string, terms: TransferTerms, keys: RemarkKeys): RemarkMeaning {
  const text = remark.trim().replace(/\s+/g, ' ');
  if (text === '') return 'blank';
  const marks = [...text.matchAll(MARK)].map(([, reference = '', mac = '']) => ({ reference, mac }));
  const macs = marks.filter(({ reference }) => simplified(reference) === simplified(terms.reference));
  const isProven = macs.some(({ mac }) => keys.some((key) => isEqual(macOf(terms, key), mac.toLowerCase())));
  if (isProven) return 'ours';
  if (simplified(text).includes(simplified(terms.reference))) return 'unproven';
  return marks.length === 0 && isCut(text, terms, keys) ? 'blank' : 'other';
}

/** The reference of the only mark in a remark. It is no proof that the row is that order. Null: there is none. */
export function referenceIn(remark: string): string | null {
  const [mark, another] = remark.replace(/\s+/g, ' ').matchAll(MARK);
  return mark && !another ? (mark[1] ?? null) : null;
}

/** Whether the text is the beginning of our remark. The provider may cut a remark that is too long for it. */
const isCut = (text: string, terms: TransferTerms, keys: RemarkKeys): boolean =>
  keys.some((key) =>
    `${PREFIX} ${terms.reference} ${macOf(terms, key)}`.toLowerCase().startsWith(text.toLowerCase()),
  );

const simplified = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();

const isEqual = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
