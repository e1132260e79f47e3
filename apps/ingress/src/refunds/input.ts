import { z } from 'zod';
import { amountMinor } from '../input/amount.js';
import { text } from '../input/fields.js';

/** The body of POST /v1/recharges/{id}/refunds. */
export const RefundInput = z
  .strictObject({
    amount: amountMinor.optional().meta({
      type: 'integer',
      minimum: 1,
      description: 'Minor units of the currency; what is left of the recharge when it is left out',
      examples: [1000],
    }),
    reason: text(500).meta({
      description: 'Why it is refunded, in your own words',
      examples: ['ordered twice'],
    }),
  })
  .meta({ description: 'A refund to create.', xml: { name: 'refund' } });
