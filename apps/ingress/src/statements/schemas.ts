import { monthLineKinds } from '@replenish/domain/rules';
import { z } from 'zod';
import { currencyCode, exactMinor, id, list, time, words } from '../http/schema-pieces.js';

const kind = z.enum(monthLineKinds).meta({
  description:
    '`collect`: collected money came in. `recall`: delivered money came back. `hold`: money was set aside for a delivery or a refund. `reverse`: the money of a hold was given back. `adopt`, `credit`: a person booked money that had come late or in another amount',
});

const Line = z
  .strictObject({
    at: time('When it was posted'),
    kind,
    transactionId: id('The recharge or refund that it belongs to'),
    amount: exactMinor('What was added to the available balance, below zero what was taken from it'),
    balance: exactMinor('The available balance after the line'),
    text: words('What the line is, for people, in the language of the answer'),
  })
  .meta({ description: 'One line of a statement.' });

const Total = z
  .strictObject({ kind, amount: exactMinor('The sum of the lines of this kind') })
  .meta({ description: 'The sum of one kind of lines.' });

export const Statement = z
  .strictObject({
    accountId: words('The account'),
    currency: currencyCode,
    period: words('The month, such as `2026-11`'),
    timeZone: words('The time zone in which the month begins and ends'),
    from: time('The first moment of the month'),
    to: time('The first moment of the next month'),
    asOf: time('When it was read. A month that is not over yet has the lines up to then'),
    opening: exactMinor('The available balance before the first line'),
    lines: list(Line, 'The lines, oldest first'),
    totals: list(
      Total,
      'The sum of each kind of lines. Together they are the closing less the opening balance',
    ),
    closing: exactMinor('The available balance after the last line'),
  })
  .meta({
    description: 'The available money of one account in one month and currency. Holds are lines.',
    xml: { name: 'statement' },
    examples: [
      {
        accountId: 'acct-1001',
        currency: 'USD',
        period: '2026-11',
        timeZone: 'UTC',
        from: '2026-11-01T00:00:00.000Z',
        to: '2026-12-01T00:00:00.000Z',
        asOf: '2026-12-02T08:00:00.000Z',
        opening: 0,
        lines: [
          {
            at: '2026-11-21T22:00:00.280Z',
            kind: 'collect',
            transactionId: '01a2122d-35de-70af-9927-1ae329a0e10b',
            amount: 4999,
            balance: 4999,
            text: 'Recharge, order PO-7',
          },
        ],
        totals: [{ kind: 'collect', amount: 4999 }],
        closing: 4999,
      },
    ],
  });
