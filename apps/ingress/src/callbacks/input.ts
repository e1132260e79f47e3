import { callbackTypes } from '@replenish/domain/rules';
import { z } from 'zod';
import { cursor } from '../input/cursor.js';
import { pageLimit, text, timestamp } from '../input/fields.js';

const uuid = (what: string) =>
  z.string().regex(/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/, `must be the id of ${what}`);

/** The body of POST /v1/callback-endpoints. */
export const CallbackEndpointInput = z
  .strictObject({
    url: text(2_000).meta({
      format: 'uri',
      description: 'Where events are posted: `https://`, and no address of a private network',
      examples: ['https://shop.example.com/replenish'],
    }),
    events: z
      .array(z.enum(callbackTypes))
      .min(1)
      .max(callbackTypes.length)
      .refine((types) => new Set(types).size === types.length, 'must name each type once')
      .optional()
      .meta({ description: 'The types of events to hear. All of them when it is left out' }),
  })
  .meta({ description: 'An address that events are posted to.', xml: { name: 'callbackEndpoint' } });

/** The body of POST /v1/callback-endpoints/{endpointId}/replay. */
export const ReplayInput = z
  .strictObject({
    since: timestamp.meta({ description: 'Events from this time on are sent again (RFC 3339)' }),
  })
  .meta({ description: 'What to send again.', xml: { name: 'replay' } });

export const DeliveryQuery = z.strictObject({
  endpointId: uuid('an endpoint').optional().meta({ description: 'Only to this endpoint' }),
  transactionId: uuid('a transaction').optional().meta({ description: 'Only about this recharge or refund' }),
  status: z
    .enum(['pending', 'delivered', 'failed', 'canceled'])
    .optional()
    .meta({ description: 'Only with this status' }),
  limit: pageLimit(20),
  cursor: cursor.optional(),
});
