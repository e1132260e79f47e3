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
 * `ours`: the remark proves that the row is this order. `suspect`: the row may be this order, because its remark is
 * missing, cut, or names the order without its proof. `other`: the row is certainly another transfer.
 */
export type RemarkMeaning = 'ours' | 'suspect' | 'other';

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

const MARK = /RPL1 ([A-Za-z0-9._:-]{1,64}) ([0-9a-f]{12})(?![0-9a-z])/i;

/** What the remark of a listed row says about an order. */
export function meaningOf(remark: string, terms: TransferTerms, keys: RemarkKeys): RemarkMeaning {
  const text = remark.trim().replace(/\s+/g, ' ');
  if (text === '') return 'suspect';
  const [, reference, mac = ''] = MARK.exec(text) ?? [];
  if (reference !== undefined && reference.toLowerCase() === terms.reference.toLowerCase())
    return keys.some((key) => isEqual(macOf(terms, key), mac.toLowerCase())) ? 'ours' : 'suspect';
  if (reference !== undefined) return 'other';
  if (simplified(text).includes(simplified(terms.reference))) return 'suspect';
  return isCut(text, terms, keys) ? 'suspect' : 'other';
}

/** Whether the text is the beginning of our remark. The provider may cut a remark that is too long for it. */
const isCut = (text: string, terms: TransferTerms, keys: RemarkKeys): boolean =>
  keys.some((key) =>
    `${PREFIX} ${terms.reference} ${macOf(terms, key)}`.toLowerCase().startsWith(text.toLowerCase()),
  );

const simplified = (text: string): string => text.replace(/[^A-Za-z0-9]/g, '').toLowerCase();

const isEqual = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
