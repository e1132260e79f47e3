/**
 * The currencies of ISO 4217, list one, as of amendment 180 (in force since January 2026), by number of decimals. It
 * has no funds, metals, bond units and testing codes, since no account is recharged in them. The list is kept here
 * because libraries follow the amendments years late, and Node's own list differs between releases and contains
 * withdrawn codes.
 */
const decimals: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP
    CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES
    KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
    NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB
    TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
};

/** Withdrawn codes that callers still send, each with its successor. */
const successors: Readonly<Record<string, string>> = {
  ANG: 'XCG',
  BGN: 'EUR',
  BYR: 'BYN',
  CUC: 'CUP',
  HRK: 'EUR',
  MRO: 'MRU',
  SLL: 'SLE',
  STD: 'STN',
  VEF: 'VES',
  ZMK: 'ZMW',
  ZWL: 'ZWG',
};

/** Codes of funds, which earlier releases accepted. Balances in them can still be queried. */
const FUNDS = 'BOV CHE CHW CLF COU MXV USN UYI UYW';

const exponents = new Map(
  Object.entries(decimals).flatMap(([digits, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(digits)] as const),
  ),
);
const former = new Set([...Object.keys(successors), ...FUNDS.split(' ')]);

// The former codes whose number of decimals is not 2.
const formerExponents: Readonly<Record<string, number>> = { BYR: 0, CLF: 4, UYI: 0, UYW: 4 };

/** The number of decimals of a currency in which the books may have entries. Undefined for any other code. */
export const bookedExponentOf = (currency: string): number | undefined =>
  exponents.get(currency) ?? (former.has(currency) ? (formerExponents[currency] ?? 2) : undefined);

/** The number of decimals of a currency in use. Undefined for any other code. */
export const exponentOf = (currency: string): number | undefined => exponents.get(currency);

/** Whether the books may have entries in a currency: it is in use, or it was accepted before it was withdrawn. */
export const mayBeBooked = (currency: string): boolean => exponents.has(currency) || former.has(currency);

/** The reason for which a currency is refused, in words for the caller. */
export const whyNoCurrency = (code: string): string =>
  Object.hasOwn(successors, code)
    ? `${code} was withdrawn from ISO 4217; use ${successors[code]}`
    : 'must be an upper-case ISO 4217 code of a currency in use';

export type Currency = Readonly<{ code: string; exponent: number }>;

/** Every currency that is accepted, in the order of its code. */
export const currencies = (): Currency[] =>
  [...exponents].map(([code, exponent]) => ({ code, exponent })).sort((a, b) => (a.code < b.code ? -1 : 1));
