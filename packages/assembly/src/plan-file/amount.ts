const DIGITS = /^[1-9]\d{0,18}$/;

/**
 * An amount of minor units, or what is wrong with it. Only digits are taken. A separator of thousands, decimals, an
 * exponent or a currency sign could mean another amount to another reader: `4.999` is five thousand in one country and
 * five in another, and a spreadsheet writes `1E+05` for a hundred thousand.
 * @param isText whether it comes from a file of texts
 */
export function amountIn(value: unknown, isText: boolean): bigint | string {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value > 0
      ? BigInt(value)
      : Number.isInteger(value) && value > 0
        ? TOO_LARGE
        : NOT_WHOLE;
  if (typeof value === 'string' && isText) return DIGITS.test(value) ? BigInt(value) : whyNot(value);
  // A number that a float would change is an object with its digits. An object of a client may have a `toString` that is
  // no function.
  const digits = (value as Readonly<{ value?: unknown }> | null | undefined)?.value;
  if (typeof digits === 'string' && DIGITS.test(digits)) return TOO_LARGE;
  return typeof value === 'string' ? NOT_QUOTED : NOT_WHOLE;
}

const NOT_WHOLE = 'must be a positive integer of minor units, in digits';
const NOT_QUOTED = 'must be an integer of minor units, in JSON without quotes';
const TOO_LARGE = `must be at most ${Number.MAX_SAFE_INTEGER}`;
const SHOWN_MAX = 40;

function whyNot(text: string): string {
  const shown = `"${text.slice(0, SHOWN_MAX)}"`;
  if (/^\d{20,}$/.test(text)) return TOO_LARGE;
  if (/^[\d.,'\u2019\s\u00a0\u202f\uff0c\u3001]+$/.test(text) && /\D/.test(text))
    return `${shown} has a separator: ${NOT_WHOLE}, such as 4999 for 49.99 USD`;
  if (/^\d+(?:[.,]\d+)?e[+-]?\d+$/i.test(text))
    return `${shown} is how a spreadsheet shortens a long number: format the column as text or number`;
  return `${shown}: ${NOT_WHOLE}`;
}
