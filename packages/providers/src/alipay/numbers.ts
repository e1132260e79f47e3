/**
 * The merchant's number of a transaction: our id without dashes, because Alipay takes letters, digits and `_` only. It
 * is the order's id on both sides. Alipay's own number exists only after the payer scanned the code.
 */
export const numberOf = (reference: string): string => reference.replaceAll('-', '');

/** The transaction id of a merchant's number. Null: the number is not one of ours. */
export function referenceOf(number: unknown): string | null {
  const parts = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(
    typeof number === 'string' ? number : '',
  );
  return parts ? parts.slice(1).join('-') : null;
}
