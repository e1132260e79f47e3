import { z } from 'zod';
import {
  count,
  currencyCode,
  exactMinor,
  id,
  list,
  minor,
  nextCursor,
  orNull,
  time,
  timeOrNull,
  words,
} from '../http/schema-pieces.js';

const example = {
  planId: '01a2122d-0000-7000-8000-1ae329a0e10d',
  name: 'november',
  status: 'running',
  currency: 'CNY',
  lines: 3,
  total: 900_000,
  budget: 1_000_000,
  canary: null,
  pausedBecause: null,
  createdAt: '2026-11-21T22:00:00.000Z',
  startedAt: '2026-11-21T22:01:00.000Z',
  finishedAt: null,
};

const facts = {
  planId: id('Id of the plan'),
  name: words('Its name'),
  status: z.enum(['draft', 'waiting', 'running', 'paused', 'finished', 'canceled']).meta({
    description: '`waiting`: a second person has to approve it. `finished`: every line is final',
  }),
  currency: currencyCode,
  lines: z.int().min(1).meta({ description: 'The number of its lines' }),
  total: exactMinor('The sum of its lines'),
  budget: exactMinor('').nullable().meta({ description: 'The budget in minor units; null: none was given' }),
  canary: exactMinor('').nullable().meta({
    description:
      'The most that goes to a new payee before something has arrived there, in minor units; null: no such limit',
  }),
  pausedBecause: orNull(
    'Why it is paused, if no person paused it: `KEY_GONE` when the key that started it was revoked or has expired',
  ),
  createdAt: time('When it was created'),
  startedAt: timeOrNull('When it was started'),
  finishedAt: timeOrNull('When it was finished or canceled'),
};

const PlanSummary = z.strictObject(facts).meta({ description: 'One plan.', xml: { name: 'plan' } });

export const Plan = z
  .strictObject({
    ...facts,
    done: count('Lines that are final'),
    succeeded: count('Lines whose money arrived'),
    failed: count('Lines that failed, or got no recharge'),
    canceled: count('Lines whose recharge was canceled'),
    inProgress: count('Lines whose recharge is under way'),
    notStarted: count('Lines that have no recharge yet'),
    amounts: z
      .strictObject({
        succeeded: exactMinor('The sum of the lines that succeeded'),
        failed: exactMinor('The sum of those that failed'),
        canceled: exactMinor('The sum of those that were canceled'),
        inProgress: exactMinor('The sum of those under way'),
        notStarted: exactMinor('The sum of those that are not started'),
      })
      .meta({ description: 'The same in minor units of the currency' }),
  })
  .meta({
    description: 'One plan, and how far it is.',
    xml: { name: 'plan' },
    examples: [
      {
        ...example,
        ...{ done: 1, succeeded: 1, failed: 0, canceled: 0, inProgress: 1, notStarted: 1 },
        amounts: {
          succeeded: 300_000,
          failed: 0,
          canceled: 0,
          inProgress: 300_000,
          notStarted: 300_000,
        },
      },
    ],
  });

export const Plans = z.strictObject({ data: list(PlanSummary, 'The plans, newest first'), nextCursor }).meta({
  description: 'A page of plans.',
  xml: { name: 'plans' },
  examples: [{ data: [example], nextCursor: null }],
});

const Line = z
  .strictObject({
    line: z.int().min(1).meta({ description: 'Number of the line' }),
    accountId: words('The account'),
    amount: minor('The amount'),
    currency: currencyCode,
    paymentMethod: words('How it is paid for'),
    destination: orNull('Where the money goes, as sent'),
    orderReference: orNull('Your own reference, as sent'),
    providerAccount: orNull('The name of our account at the provider that collects, as sent'),
    status: z
      .enum(['not_started', 'accepted', 'in_progress', 'succeeded', 'failed', 'canceled'])
      .meta({ description: 'The status of its recharge; `not_started` while it has none' }),
    transactionId: id('')
      .nullable()
      .meta({ description: 'Its recharge; null if it has none yet, or was refused' }),
    heldBecause: z.enum(['CANARY']).nullable().meta({
      description:
        'Why its turn has come and it waits: `CANARY`, until the small line of its account has arrived at the new payee; null: it does not wait',
    }),
    failure: z
      .strictObject({ code: words('For programs'), message: words('For people') })
      .nullable()
      .meta({ description: 'Why it failed; null otherwise' }),
  })
  .meta({ description: 'One line of a plan.' });

export const PlanLines = z.strictObject({ data: list(Line, 'The lines in their order'), nextCursor }).meta({
  description: 'The lines of a plan, each with what became of it.',
  xml: { name: 'planLines' },
  examples: [
    {
      data: [
        {
          ...{ line: 1, accountId: 'acct-1001', amount: 300_000, currency: 'CNY' },
          ...{ paymentMethod: 'fund_account', destination: null, orderReference: 'PO-7' },
          providerAccount: null,
          ...{ status: 'succeeded', transactionId: '01a2122d-0000-7000-8000-1ae329a0e10b' },
          ...{ heldBecause: null, failure: null },
        },
      ],
      nextCursor: null,
    },
  ],
});
