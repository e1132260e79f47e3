import { verbs } from '@replenish/domain';
import { z } from 'zod';
import { exactMinor, id, list, nextCursor, orNull, time, timeOrNull, words } from '../http/schema-pieces.js';

const resolution = z
  .strictObject({
    verb: orNull('What was decided; null when later facts settled the case'),
    reason: words('Why it was closed, for people'),
    actor: orNull('Who decided; null when later facts settled the case'),
    at: time('When it was closed'),
  })
  .nullable()
  .meta({ description: 'How it was closed; null while it is open' });

const example = {
  caseId: '01a2122d-0000-7000-8000-1ae329a0e10c',
  kind: 'late_money',
  transactionId: '01a2122d-0000-7000-8000-1ae329a0e10b',
  subject: '01a2122d-0000-7000-8000-1ae329a0e10b',
  amount: 4999,
  currency: 'USD',
  openedAt: '2026-11-21T22:00:00.000Z',
  closedAt: null,
  evidence: { news: 'settled', providerOrderId: 'order-1' },
  verbs: ['adopt', 'return'],
  resolution: null,
};

export const Case = z
  .strictObject({
    caseId: id('Id of the case'),
    kind: words('What was found, such as `wrong_amount` or `late_money`'),
    transactionId: id('').nullable().meta({
      description: 'The recharge or refund that it is about; null when it is about an event only',
    }),
    subject: words('The id of the transaction, or `<provider>:<event id>` for a case about an event'),
    amount: exactMinor('').nullable().meta({
      description:
        'The money that it is about, in minor units of the currency. It may exceed 2^53. Null: it is about no money, or about several currencies',
    }),
    currency: orNull('ISO 4217 code of the currency'),
    openedAt: time('When it was opened'),
    closedAt: timeOrNull('When it was closed'),
    evidence: z.record(z.string(), z.unknown()).meta({
      description: 'The facts that opened it, and under `given` what a person showed',
      type: 'object',
    }),
    verbs: list(z.enum(verbs), 'What a person can decide now'),
    resolution,
  })
  .meta({
    description: 'A question that a person has to answer.',
    xml: { name: 'case' },
    examples: [example],
  });

export const Cases = z.strictObject({ data: list(Case, 'The cases, newest first'), nextCursor }).meta({
  description: 'A page of cases.',
  xml: { name: 'cases' },
  examples: [{ data: [example], nextCursor: null }],
});
