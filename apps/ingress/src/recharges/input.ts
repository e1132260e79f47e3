import { paymentMethods } from '@replenish/providers';
import { z } from 'zod';
import { amountMinor } from '../input/amount.js';
import { isInexact } from '../input/bodies/json-body.js';
import { cursor } from '../input/cursor.js';
import {
  accountId,
  currency,
  freeText,
  idempotencyKey,
  pageLimit,
  text,
  timestamp,
} from '../input/fields.js';

/**
 * The entries are counted first, because checking thousands of wrong ones would block the process for most of a
 * second.
 */
export const metadata = z
  .unknown()
  .refine((entries) => Object.keys(Object(entries)).length <= 50, 'must have at most 50 entries')
  .pipe(z.record(text(40), freeText(500)))
  .meta({
    type: 'object',
    maxProperties: 50,
    propertyNames: { minLength: 1, maxLength: 40 },
    additionalProperties: { type: 'string', maxLength: 500 },
    description:
      'Your own data: up to 50 strings, returned as they are. `scenario` picks a scenario of the sandbox. In XML `<metadata><name>value</name></metadata>`, or `<entry key="any name">value</entry>`',
    examples: [{ team: 'billing' }],
  });

export const providerAccount = text(64)
  .optional()
  .meta({
    description:
      'The name of our account at the provider that collects. When it is left out: the default one. Deliveries are paid by the account that the payee names',
    examples: ['main'],
  });

/** The body of POST /v1/recharges. Unknown fields are refused, because a misspelt field would be lost silently. */
export const RechargeInput = z
  .strictObject({
    idempotencyKey: idempotencyKey
      .optional()
      .meta({ description: 'The idempotency key, where the header is not sent' }),
    accountId,
    amount: amountMinor,
    currency,
    paymentMethod: z
      .enum(paymentMethods)
      .default('sandbox')
      .meta({ description: 'How the recharge is paid for' }),
    providerAccount,
    destination: z.enum(['wallet', 'cloud']).optional().meta({
      description:
        'Where the money goes: it stays in the `wallet`, or it is delivered to the payee of the account (`cloud`). When it is left out: `cloud` where the account has a payee, else `wallet`',
    }),
    orderReference: text(255)
      .optional()
      .meta({ description: 'Your own reference, to find the recharge by', examples: ['PO-7'] }),
    timestamp: timestamp.optional().meta({
      description:
        'When you made the request (RFC 3339). Kept, and not compared: it may differ in a repeated request',
    }),
    callbackUrl: text(2_000)
      .optional()
      .meta({
        format: 'uri',
        description:
          'An address that the events of this recharge are posted to, besides the endpoints of your client: `https://`, and no address of a private network',
        examples: ['https://shop.example.com/replenish'],
      }),
    productType: text(255)
      .optional()
      .meta({ description: 'What is recharged, in your own words', examples: ['ecs'] }),
    planId: text(255)
      .optional()
      .meta({ description: 'Your own id of a plan that the recharge belongs to', examples: ['p1'] }),
    metadata: metadata.default({}),
  })
  .meta({ description: 'A recharge to create.', xml: { name: 'recharge' } });

export const CreateQuery = z.strictObject({
  dryRun: z.enum(['true', 'false']).optional().meta({
    description:
      '`true`: nothing is stored and no idempotency key is needed or used. The answer says what would become of the request',
  }),
});

/** The form of the source document: amount in major units, as `{"amount": 100, "currency": "USD"}`. */
export const ChargeInput = z
  .strictObject({
    idempotency_key: idempotencyKey.optional().meta({
      description:
        'The idempotency key, where the header is not sent. Without a key each call is a new recharge',
    }),
    account_id: accountId,
    amount: z
      .custom<object | number>(
        (value) => typeof value === 'number' || isInexact(value),
        'must be a number of major units, in JSON without quotes',
      )
      .transform(String)
      .meta({
        type: 'number',
        exclusiveMinimum: 0,
        description: 'Major units of the currency, no finer than its smallest unit: 49.99',
        examples: [49.99],
      }),
    currency,
    payment_method: z
      .enum(paymentMethods)
      .default('sandbox')
      .meta({ description: 'How the recharge is paid for' }),
    metadata: metadata.default({}),
  })
  .meta({ description: 'A recharge to create, in major units.', xml: { name: 'charge' } });

export const ListQuery = z.strictObject({
  accountId: accountId.optional().meta({ description: 'Only of this account' }),
  status: z
    .enum(['accepted', 'in_progress', 'succeeded', 'failed', 'canceled'])
    .optional()
    .meta({ description: 'Only with this status' }),
  orderReference: text(255).optional().meta({ description: 'Only with exactly this reference' }),
  createdFrom: timestamp.optional().meta({ description: 'Only created at this time or later (RFC 3339)' }),
  createdTo: timestamp.optional().meta({ description: 'Only created before this time (RFC 3339)' }),
  limit: pageLimit(20),
  cursor: cursor.optional(),
});
