import { decisionReasons, pauseReasons } from '@replenish/domain';
import { z } from 'zod';
import { amountOrNull, count, list, time, words } from '../http/schema-pieces.js';

const because = z.enum([...decisionReasons, ...pauseReasons]);
const at = (description: string) =>
  z.iso
    .datetime()
    .nullable()
    .meta({ description: `${description} (RFC 3339, UTC); null without balances` });

const tried = z
  .strictObject({
    at: time('When'),
    balance: amountOrNull('The balance before it'),
    amount: amountOrNull('The amount'),
    because: because.meta({ description: 'Why, as a code' }),
  })
  .meta({ description: 'A recharge that the rule would have made.' });

const check = z
  .strictObject({
    name: words('What was checked'),
    ok: z.boolean().meta({ description: 'Whether the rule passes' }),
    detail: words('For people'),
  })
  .meta({ description: 'One check.' });

const backTest = z
  .strictObject({
    from: at('The first balance'),
    to: at('The last balance'),
    balances: count('How many stored balances it was tried on'),
    looks: count('How often it would have looked'),
    recharges: list(tried, 'The recharges, oldest first'),
    total: amountOrNull('The sum of the recharges'),
    heldBack: list(
      z
        .strictObject({
          because: because.meta({ description: 'Why, as a code' }),
          times: count('How often'),
        })
        .meta({ description: 'How often one reason held the rule back.' }),
      'What would have held it back',
    ),
    paused: z
      .strictObject({ at: time('When'), because: because.meta({ description: 'Why, as a code' }) })
      .nullable()
      .meta({ description: 'It would have paused for good; null: it would not' }),
    lowest: amountOrNull('The lowest balance with the rule'),
    lowestWithout: amountOrNull('The lowest balance as it was'),
    note: words('What the test rests on, for people'),
  })
  .meta({ description: 'What the rule would have done on the balances of the last 30 days' });

export const RuleTrial = z
  .strictObject({
    wouldBe: z.enum(['accepted', 'refused']).meta({ description: 'Whether the rule would be stored' }),
    checks: list(check, 'The checks'),
    next: z
      .enum(['recharge', 'nothing', 'held_back'])
      .nullable()
      .meta({ description: 'What it would do now; null: the balance was not read yet' }),
    because: because.nullable().meta({ description: 'Why, as a code' }),
    amount: amountOrNull('The amount that it would recharge now'),
    approval: z
      .boolean()
      .meta({ description: 'Whether a second person would have to approve it before it acts' }),
    balance: amountOrNull('The balance now'),
    backTest,
  })
  .meta({
    description: 'What would become of a request for a rule.',
    xml: { name: 'dryRun' },
    examples: [
      {
        wouldBe: 'accepted',
        checks: [
          { name: 'payee', ok: true, detail: 'the money has a place to go to' },
          { name: 'balance', ok: true, detail: 'the figure that is compared is told' },
        ],
        next: 'nothing',
        because: 'ENOUGH',
        amount: null,
        approval: false,
        balance: 250000,
        backTest: {
          from: '2026-10-22T22:00:00.000Z',
          to: '2026-11-21T22:00:00.000Z',
          balances: 412,
          looks: 412,
          recharges: [
            { at: '2026-11-02T03:00:00.000Z', balance: 95000, amount: 405000, because: 'BELOW_THRESHOLD' },
          ],
          total: 405000,
          heldBack: [],
          paused: null,
          lowest: 95000,
          lowestWithout: -120000,
          note: 'each recharge is taken to arrive at once',
        },
      },
    ],
  });
