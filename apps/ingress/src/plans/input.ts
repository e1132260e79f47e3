import { paymentMethods } from '@replenish/providers';
import { z } from 'zod';
import { amountMinor } from '../input/amount.js';
import { cursor } from '../input/cursor.js';
import { accountId, currency, pageLimit, text } from '../input/fields.js';
import { providerAccount } from '../recharges/input.js';

/** Texts that a plan may have: its name, and the order references of its lines. */
export const planText = text(255);

const LINE_MAX = 2_147_483_647;

const line = z
  .strictObject({
    line: z
      .int()
      .min(1)
      .max(LINE_MAX)
      .optional()
      .meta({
        description:
          'Your number of the line. Each line has one, or none: then the lines are numbered from 1 in their order',
        examples: [1],
      }),
    accountId,
    amount: amountMinor,
    currency,
    paymentMethod: z
      .enum(paymentMethods)
      .default('sandbox')
      .meta({ description: 'How the recharge is paid for' }),
    destination: z.enum(['wallet', 'cloud']).optional().meta({
      description: 'Where the money goes, as in the request for one recharge',
    }),
    orderReference: planText.optional().meta({ description: 'Your own reference', examples: ['PO-7'] }),
    providerAccount,
  })
  .meta({ description: 'One recharge of a plan.', xml: { name: 'line' } });

/**
 * The body of POST /v1/plans, for the description only. The lines are checked by `checkedLines`, which names each fault
 * by line and column and takes 10,000 lines in a moment.
 */
export const PlanInput = z
  .strictObject({
    name: planText.optional().meta({
      description: 'Its name, unique per client. It may be sent as `?name=` instead',
      examples: ['november'],
    }),
    budget: amountMinor.optional().meta({
      type: 'integer',
      minimum: 1,
      description: 'Minor units. A plan whose lines add up to more is refused',
      examples: [1_000_000],
    }),
    canary: amountMinor.optional().meta({
      type: 'integer',
      minimum: 1,
      description:
        'Minor units. To a payee at which nothing has arrived yet only the first line of at most this amount goes; the other lines of its account follow once that has arrived',
      examples: [100],
    }),
    lines: z
      .array(line)
      .min(1)
      .max(10_000)
      .meta({ description: 'The recharges, all in one currency', xml: { wrapped: true } }),
  })
  .meta({ description: 'A plan to create.', xml: { name: 'plan' } });

const minorInQuery = (description: string) =>
  z
    .string()
    .regex(/^[1-9]\d{0,18}$/, 'must be a positive integer of minor units, in digits')
    .transform(BigInt)
    .optional()
    .meta({ type: 'integer', description });

export const PlanQuery = z.strictObject({
  name: planText.optional().meta({ description: 'The name of the plan, where the body has none' }),
  budget: minorInQuery('The budget in minor units, where the body has none'),
  canary: minorInQuery('The canary in minor units, where the body has none'),
  dryRun: z.enum(['true', 'false']).optional().meta({
    description: '`true`: nothing is stored. The answer says what would become of the plan',
  }),
});

export const PlansQuery = z.strictObject({ limit: pageLimit(20), cursor: cursor.optional() });

export const PlanLinesQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^(?:[1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .optional()
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description: 'Lines of a page, 1 to 100; all lines when it is left out',
    }),
  cursor: z
    .string()
    .regex(/^\d{1,5}$/, 'must be the nextCursor of an earlier page')
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
});
