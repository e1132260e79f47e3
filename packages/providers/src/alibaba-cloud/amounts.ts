/**
 * The currencies of Alibaba Cloud's accounts, with the digits of their minor unit. The table is the provider's own:
 * other currencies are refused before anything is sent.
 */
const digitsOf: ReadonlyMap<string, number> = new Map([
  ['CNY', 2],
  ['USD', 2],
  ['JPY', 0],
]);

/** The amount as the operations take it: a decimal string in major units. @throws for an unknown currency */
export function toMajor(minor: bigint, currency: string): string {
  const digits = digitsOf.get(currency);
  if (digits === undefined) throw new RangeError(`Alibaba Cloud has no accounts in ${currency}`);
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  const point = text.length - digits;
  return `${minor < 0n ? '-' : ''}${text.slice(0, point)}${digits === 0 ? '' : `.${text.slice(point)}`}`;
}

export const takesCurrency = (currency: string): boolean => digitsOf.has(currency);

// Documents show 10000.00, real answers 10,000.00. A separator in another place is not read, because 1,00 may be one or
// a hundred.
const MAJOR = /^(-?)(\d+|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?$/;

/** Reads a decimal string of an answer as minor units. Null when it is not exactly an amount of the currency. */
export function fromMajor(text: string, currency: string): bigint | null {
  const digits = digitsOf.get(currency);
  const [, sign, whole, fraction = ''] = MAJOR.exec(text) ?? [];
  if (digits === undefined || whole === undefined) return null;
  // Digits beyond those of the currency are read only if they are zeros: 12.340 is 12.34.
  if (/[1-9]/.test(fraction.slice(digits))) return null;
  const minor = BigInt(whole.replaceAll(',', '') + fraction.slice(0, digits).padEnd(digits, '0'));
  return sign === '-' ? -minor : minor;
}
