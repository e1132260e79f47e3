import { balanceFigures, ruleModes } from '@replenish/domain';
import { paymentMethods } from '@replenish/providers';
import { z } from 'zod';
import { amountMinor } from '../input/amount.js';
import { cursor } from '../input/cursor.js';
import { accountId, currency, pageLimit, timestamp } from '../input/fields.js';
import { metadata } from '../recharges/input.js';

/** A whole number in the range, for the parsers of JSON and XML. */
const whole = (min: number, max: number, description: string) =>
  z.int(`must be a whole number from ${min} to ${max}`).min(min).max(max).meta({ description });

/** A field that may also be null. */
const orNone = <Field extends z.ZodType>(field: Field) => field.nullable().meta({ ...field.meta() });

const minorOf = (description: string) => amountMinor.meta({ ...amountMinor.meta(), description });

const YEAR_SECONDS = 31_536_000;

const recharge = z
  .strictObject({
    amount: minorOf('The amount of each recharge, in minor units. At least `below`').optional(),
    upTo: minorOf('The balance that a recharge fills up to, in minor units. More than `below`').optional(),
  })
  .refine(({ amount, upTo }) => (amount === undefined) !== (upTo === undefined), {
    error: 'must have `amount` or `upTo`, and not both',
  })
  .meta({ description: 'How much: a fixed `amount`, or what is missing `upTo` a balance' });

const capsShape = {
  perRecharge: minorOf('The largest recharge'),
  perDay: minorOf('The most in the last 24 hours'),
  perMonth: minorOf('The most in a calendar month of `timeZone`'),
  timesPerDay: orNone(whole(1, 1_000, 'The most recharges in the last 24 hours; null: no limit')).optional(),
  timesPerMonth: orNone(
    whole(1, 30_000, 'The most recharges in a calendar month of `timeZone`; null: no limit'),
  ).optional(),
};
const caps = z.strictObject(capsShape).meta({
  description:
    'The most that the rule may create, in minor units. What was created counts, whatever became of it',
});

const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day such as 22:00');
const quietHours = z
  .strictObject({
    from: clockTime.meta({ description: 'The first quiet minute', examples: ['22:00'] }),
    to: clockTime.meta({ description: 'The first minute after them', examples: ['06:00'] }),
    timeZone: z
      .string()
      .max(64)
      .optional()
      .meta({
        description: 'IANA name of the time zone; when it is left out, the `timeZone` of the rule',
        examples: ['Asia/Shanghai'],
      }),
  })
  .meta({ description: 'Hours in which the rule creates nothing' });

/** What may change during the life of a rule. */
const changeable = {
  below: minorOf(
    'The rule acts on a balance that is less than this, in minor units. An equal balance is enough',
  ),
  balance: z.enum(balanceFigures).meta({
    description:
      'The figure of the balance to compare: all that is `available`, or the `cash` in it without credit and vouchers. `available` when it is left out',
  }),
  recharge,
  paymentMethod: z.enum(paymentMethods).meta({ description: 'How the recharges are paid for' }),
  destination: z.enum(['wallet', 'cloud']).meta({
    description: 'Where the money goes; when it is left out, to what the rule watches',
  }),
  cooldownSeconds: whole(0, YEAR_SECONDS, 'The shortest time between two recharges; 0 when it is left out'),
  canary: orNone(
    minorOf(
      'The most of the first recharge to a payee, in minor units. The rest follows once it has arrived; null: no such limit',
    ),
  ),
  runwayDays: orNone(
    whole(1, 365, 'Also act when the balance would be used up within so many days; null: do not'),
  ),
  mode: z.enum(ruleModes).meta({
    description:
      '`execute` recharges. `propose` asks a person first. `notify` only says that the balance is low. `execute` when it is left out',
  }),
  quietHours: orNone(quietHours),
  timeZone: z
    .string()
    .max(64)
    .meta({
      description: 'IANA name of the time zone of months and quiet hours; UTC when it is left out',
      examples: ['Asia/Shanghai'],
    }),
  expiresAt: timestamp
    .nullable()
    .meta({ description: 'The rule ends then (RFC 3339); null: it does not end' }),
  dormantAfterDays: orNone(
    whole(
      1,
      365,
      'Create nothing once the balance did not fall for so many days; 30 when it is left out, null: never',
    ),
  ),
  metadata: metadata.meta({
    ...metadata.meta(),
    description: 'Your own data: up to 50 strings. The recharges of the rule carry them',
  }),
};

const { below, ...others } = changeable;

/** The body of POST /v1/rules. */
export const RuleInput = z
  .strictObject({
    accountId,
    currency,
    watch: z.enum(['cloud', 'wallet']).meta({
      description:
        'The balance to look at: that of the payee at its `cloud`, or the available balance of the `wallet`',
    }),
    below,
    caps,
    ...z.object(others).partial().required({ recharge: true }).shape,
  })
  .meta({ description: 'A rule of automatic recharge.', xml: { name: 'rule' } });

/** The body of PATCH /v1/rules/{ruleId}. Fields that are left out stay. */
export const RuleChangeInput = z
  .strictObject({
    ...z.object(changeable).partial().shape,
    caps: z.strictObject(capsShape).partial().optional().meta({ description: 'The caps that change' }),
  })
  .meta({ description: 'New terms of a rule.', xml: { name: 'rule' } });

export const RuleQuery = z.strictObject({
  accountId: accountId.optional().meta({ description: 'Only of this account' }),
  status: z.enum(['active', 'paused', 'expired']).optional().meta({ description: 'Only with this status' }),
  limit: pageLimit(20),
  cursor: cursor.optional(),
});

export const CreateRuleQuery = z.strictObject({
  dryRun: z.enum(['true', 'false']).optional().meta({
    description:
      '`true`: nothing is stored. The answer says what the rule would do now, and what it would have done on the stored balances',
  }),
});

export const DecisionQuery = z.strictObject({
  limit: pageLimit(20),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,9}$/, 'must be the nextCursor of an earlier page')
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
});
