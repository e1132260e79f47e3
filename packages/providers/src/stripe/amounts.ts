/**
 * Stripe's exponents where they differ from two decimals (docs.stripe.com/currencies). Our amounts have the exponents
 * of ISO 4217, and the two lists differ: MGA has two decimals there and none here; ISK and UGX have none there and two
 * zeros here.
 */
const stripeExponents: Readonly<Record<string, number>> = {
  ...each(0, 'BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF'),
  ...each(3, 'BHD JOD KWD OMR TND'),
};

/** The exponents of ISO 4217 other than two. */
const isoExponents: Readonly<Record<string, number>> = {
  ...each(0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'),
  ...each(3, 'BHD IQD JOD KWD LYD OMR TND'),
  ...each(4, 'CLF UYW'),
};

// Stripe takes these only in multiples: three-decimal amounts in tens.
const steps: Readonly<Record<string, bigint>> = { BHD: 10n, JOD: 10n, KWD: 10n, OMR: 10n, TND: 10n };

// Stripe charges none of these.
const unsupported = new Set(['IQD', 'LYD', 'CLF', 'UYI', 'UYW']);

// PaymentIntents take at most eight digits.
const AMOUNT_MAX = 99_999_999n;

/** The amount for Stripe of our minor units. Null: Stripe cannot charge this amount in this currency. */
export function toStripe(amountMinor: bigint, currency: string): number | null {
  if (unsupported.has(currency) || amountMinor <= 0n) return null;
  const amount = shifted(amountMinor, stripeExponent(currency) - isoExponent(currency));
  if (amount === null || amount > AMOUNT_MAX || amount % (steps[currency] ?? 1n) !== 0n) return null;
  return Number(amount);
}

/** Our minor units of an amount of Stripe. Null: it has no exact value in ours. */
export function fromStripe(amount: number, currency: string): bigint | null {
  if (!Number.isSafeInteger(amount) || amount < 0) return null;
  return shifted(BigInt(amount), isoExponent(currency) - stripeExponent(currency));
}

const stripeExponent = (currency: string): number => stripeExponents[currency] ?? 2;
const isoExponent = (currency: string): number => isoExponents[currency] ?? 2;

/** The amount times ten to the power of `digits`. Null when it is not an integer. */
function shifted(amount: bigint, digits: number): bigint | null {
  if (digits >= 0) return amount * 10n ** BigInt(digits);
  const divisor = 10n ** BigInt(-digits);
  return amount % divisor === 0n ? amount / divisor : null;
}

function each(exponent: number, currencies: string): Record<string, number> {
  return Object.fromEntries(currencies.split(' ').map((currency) => [currency, exponent]));
}
