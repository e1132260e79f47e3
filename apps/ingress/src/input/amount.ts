import { AMOUNT_MINOR_MAX } from '@replenish/domain/rules';
import { z } from 'zod';
import { isInexact } from './bodies/json-body.js';
import { currency } from './fields.js';

/**
 * The parsers keep a number as text if a float would be written differently. So 1e3, 1.50 and 2^53 + 1 cannot become
 * another amount.
 */
export const amountMinor = z
  .custom<number>((value) => typeof value === 'number' || isInexact(value), {
    error: 'must be an integer of minor units, in JSON without quotes',
    abort: true,
  })
  .refine((number) => Number.isInteger(number) && number > 0, {
    error: 'must be a positive integer of minor units, in digits',
    abort: true,
  })
  .refine((number) => Number.isSafeInteger(number), {
    error: `must be at most ${AMOUNT_MINOR_MAX}`,
    abort: true,
  })
  .transform((number) => BigInt(number))
  .meta({
    type: 'integer',
    minimum: 1,
    maximum: Number(AMOUNT_MINOR_MAX),
    description: 'Minor units of the currency, written as digits: 4999 is 49.99 USD',
    examples: [4999],
  });

const PER_CURRENCY_MAX = 20;

/** Amounts per currency, such as `{"CNY": 100000}`. */
export const amountsPerCurrency = (description: string) =>
  z
    .record(currency, amountMinor)
    .refine(
      (amounts) => Object.keys(amounts).length <= PER_CURRENCY_MAX,
      `must have at most ${PER_CURRENCY_MAX} currencies`,
    )
    .meta({
      type: 'object',
      maxProperties: PER_CURRENCY_MAX,
      propertyNames: { pattern: '^[A-Z]{3}$' },
      description,
      examples: [{ CNY: 100000 }],
    });
