import { codes, code as entryOf } from 'currency-codes';

// ISO 4217 also lists metals, bond units and testing codes: nobody is recharged in gold.
const NO_MONEY = /^X(?:AG|AU|BA|BB|BC|BD|DR|PD|PT|SU|TS|UA|XX)$/;

const exponents = new Map(
  codes()
    .filter((code) => !NO_MONEY.test(code))
    .map((code) => [code, entryOf(code)?.digits ?? 2]),
);

/** Number of decimals of an ISO 4217 currency; undefined for a code that is none. */
export const exponentOf = (currency: string): number | undefined => exponents.get(currency);
