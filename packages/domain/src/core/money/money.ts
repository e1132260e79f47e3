/** An amount with its currency, in minor units: cents for USD, whole yen for JPY, fils for KWD. */
export type Money = Readonly<{ amountMinor: bigint; currency: string }>;

export const isSameMoney = (a: Money, b: Money): boolean =>
  a.amountMinor === b.amountMinor && a.currency === b.currency;

/** The largest amount of one recharge: 2^53 - 1, which every JSON reader holds exactly (RFC 8259, section 6). */
export const AMOUNT_MINOR_MAX = 9_007_199_254_740_991n;

/** The largest balance: the largest bigint of Postgres, in which balances are kept. */
export const BALANCE_MINOR_MAX = 2n ** 63n - 1n;

/**
 * Converts a decimal text in major units to minor units, for the API form with major units (`POST /api/charge`).
 * `exponent` is the currency's number of decimals (ISO 4217). Null if the text is no plain decimal, or is finer than
 * the currency's smallest unit. Money is never rounded.
 */
export function minorFromMajor(text: string, exponent: number): bigint | null {
  const match = /^(0|[1-9]\d{0,15})(?:\.(\d{1,18}))?$/.exec(text);
  if (!match) return null;
  const [, whole = '', decimals = ''] = match;
  const kept = decimals.slice(0, exponent).padEnd(exponent, '0');
  if (/[1-9]/.test(decimals.slice(exponent))) return null;
  return BigInt(whole + kept);
}

/** Converts minor units to a decimal text in major units. */
export function majorFromMinor(amountMinor: bigint, exponent: number): string {
  const sign = amountMinor < 0n ? '-' : '';
  const digits = (amountMinor < 0n ? -amountMinor : amountMinor).toString().padStart(exponent + 1, '0');
  if (exponent === 0) return sign + digits;
  return `${sign}${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
