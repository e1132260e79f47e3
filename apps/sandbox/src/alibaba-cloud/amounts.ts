/** The currencies of Alibaba Cloud's accounts, with the number of digits of their minor unit. */
const digitsOf = new Map([
  ['CNY', 2],
  ['USD', 2],
  ['JPY', 0],
]);

export const isCurrency = (given: unknown): given is string =>
  typeof given === 'string' && digitsOf.has(given);

/** Reads an amount in major units, such as `49.9`, as minor units. Null when it is no positive amount of the currency. */
export function readMajor(text: string, currency: string): bigint | null {
  const digits = digitsOf.get(currency);
  const [, whole, fraction = ''] = /^(\d{1,15})(?:\.(\d{1,2}))?$/.exec(text) ?? [];
  if (digits === undefined || whole === undefined || fraction.length > digits) return null;
  const minor = BigInt(whole + fraction.padEnd(digits, '0'));
  return minor > 0n ? minor : null;
}

/** Shows minor units as Alibaba Cloud does: `1,234.56`, with thousands separators, and a minus sign for debts. */
export function showMajor(minor: bigint, currency: string): string {
  const digits = digitsOf.get(currency) ?? 2;
  const text = String(minor < 0n ? -minor : minor).padStart(digits + 1, '0');
  const whole = text.slice(0, text.length - digits).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${minor < 0n ? '-' : ''}${whole}${digits === 0 ? '' : `.${text.slice(-digits)}`}`;
}
