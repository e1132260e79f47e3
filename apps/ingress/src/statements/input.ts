import { z } from 'zod';
import { bookedCurrency } from '../input/fields.js';

export const StatementQuery = z.strictObject({
  currency: bookedCurrency
    .optional()
    .meta({ description: 'The currency; needed where the account has not exactly one' }),
});

/** The month in the path. */
export const period = z.string().regex(/^[1-9]\d{3}-(?:0[1-9]|1[0-2])$/, 'must be a month, such as 2026-11');
