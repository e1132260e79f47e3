// Alipay takes 0.01 to 100000000 yuan.
const FEN_MAX = 10_000_000_000n;

/** The yuan of an amount in fen, with two places. Null: Alipay does not take this amount. */
export function toYuan(amountMinor: bigint): string | null {
  if (amountMinor < 1n || amountMinor > FEN_MAX) return null;
  return `${amountMinor / 100n}.${String(amountMinor % 100n).padStart(2, '0')}`;
}

/** The fen of a decimal text in yuan. Null for any other form, such as a number that JSON may have rounded. */
export function fromYuan(yuan: unknown): bigint | null {
  const [, whole, places = ''] =
    /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(typeof yuan === 'string' ? yuan : '') ?? [];
  return whole === undefined ? null : BigInt(whole) * 100n + BigInt(places.padEnd(2, '0'));
}
