import { z } from 'zod';
import {
  currencyCode,
  exactMinor,
  id,
  list,
  nextCursor,
  orNull,
  time,
  timeOrNull,
  words,
} from '../http/schema-pieces.js';

const run = {
  runId: id('Id of the comparison'),
  provider: words('Whose statement it is'),
  providerAccount: words('Name of our account at the provider'),
  from: time('Begin of the period'),
  to: time('End of the period, which is not in it'),
  status: z
    .enum(['running', 'finished', 'failed'])
    .meta({ description: 'A run that fails keeps the lines that it had read' }),
  failure: orNull('Why it failed, or why it had to wait; null otherwise'),
  lines: z.int().min(0).meta({ description: 'The number of lines that were read' }),
  createdAt: time('When it was asked for'),
  finishedAt: timeOrNull('When it was over'),
};

const difference = z.strictObject({
  transactionId: id('')
    .nullable()
    .meta({ description: 'The recharge or refund; null where none fits the line' }),
  line: orNull('The name of the line in the statement; null where no line fits the recharge'),
  at: time('').nullable().meta({ description: 'The time of the line, or of the success (RFC 3339, UTC)' }),
  orderId: orNull("The provider's id of the order"),
  reference: orNull('What the line says of our order'),
  direction: z
    .enum(['in', 'out'])
    .nullable()
    .meta({ description: "As the provider's account sees it; null where there is no line" }),
  amount: exactMinor('The amount of the line, or of the recharge where there is no line'),
  currency: currencyCode,
  ours: z
    .strictObject({
      amount: exactMinor('The amount of the recharge'),
      currency: currencyCode,
      state: words('The state of the recharge'),
    })
    .nullable()
    .meta({ description: 'The recharge that the line differs from; null where nothing is compared' }),
});

const gap = z.strictObject({
  afterLine: words('The line before the gap'),
  beforeLine: words('The line after the gap'),
  missing: exactMinor('What the missing lines add up to; negative for money that went out'),
  currency: currencyCode,
});

const example = {
  runId: '01a2122d-0000-7000-8000-1ae329a0e10d',
  provider: 'sandbox',
  providerAccount: 'main',
  from: '2026-11-01T00:00:00.000Z',
  to: '2026-12-01T00:00:00.000Z',
  status: 'finished',
  failure: null,
  lines: 3,
  createdAt: '2026-12-01T02:00:00.000Z',
  finishedAt: '2026-12-01T02:00:01.000Z',
};

export const Reconciliation = z
  .strictObject({
    ...run,
    matched: z.int().min(0).meta({ description: 'Lines of the period that have their recharge' }),
    outside: z.int().min(0).nullable().meta({
      description: 'Lines outside the period: kept, and not compared. Null until the run has finished',
    }),
    oursOnly: list(
      difference,
      'Recharges that succeeded, and the statement has no line for them. 1,000 at most',
    ),
    theirsOnly: list(difference, 'Lines that no recharge fits. 1,000 at most'),
    different: list(
      difference,
      'Lines with another amount than their recharge, or whose recharge did not succeed. 1,000 at most',
    ),
    gaps: list(gap, 'Places where the running balance says that lines are missing. 1,000 at most'),
  })
  .meta({
    description: "A provider's statement, compared with the books.",
    xml: { name: 'reconciliation' },
    examples: [
      {
        ...example,
        ...{ matched: 3, outside: 0 },
        ...{ oursOnly: [], theirsOnly: [], different: [] },
        gaps: [{ afterLine: '2', beforeLine: '4', missing: 4999, currency: 'USD' }],
      },
    ],
  });

export const Reconciliations = z
  .strictObject({
    data: list(z.strictObject(run), 'The comparisons, newest first, without what they found'),
    nextCursor,
  })
  .meta({
    description: 'A page of comparisons.',
    xml: { name: 'reconciliations' },
    examples: [{ data: [example], nextCursor: null }],
  });
