import { z } from 'zod';
import { accountId, bookedCurrency, pageLimit, timestamp } from '../input/fields.js';

// The `asOf` of an answer has the database's time, which may be ahead of ours.
const CLOCKS_APART_MS = 5_000;

export const BalanceQuery = z.strictObject({
  accountId,
  currency: bookedCurrency.optional().meta({ description: 'Only this currency' }),
  at: timestamp
    .refine((at) => new Date(at).getTime() <= Date.now() + CLOCKS_APART_MS, 'must not be in the future')
    .optional()
    .meta({ description: 'As it stood at this time (RFC 3339), which is not in the future' }),
});

export const LedgerQuery = z.strictObject({
  currency: bookedCurrency.optional().meta({ description: 'Only this currency' }),
  from: timestamp.optional().meta({ description: 'Only posted at this time or later (RFC 3339)' }),
  to: timestamp.optional().meta({ description: 'Only posted before this time (RFC 3339)' }),
  limit: pageLimit(50),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'must be the nextCursor of an earlier page')
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
});
