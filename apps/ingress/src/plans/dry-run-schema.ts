import { z } from 'zod';
import { currencyCode, exactMinor, list, words } from '../http/schema-pieces.js';

export const PlanDryRun = z
  .strictObject({
    wouldBe: z.enum(['accepted', 'refused']).meta({
      description: '`accepted`: the plan would be stored, and each of its lines would get a recharge',
    }),
    lines: z.int().min(1).meta({ description: 'The number of its lines' }),
    total: exactMinor('The sum of its lines'),
    currency: currencyCode,
    checks: list(
      z
        .strictObject({
          name: words(
            '`account`, `budget`, `key_currency`, `ceiling`, `payee`, `payee_currency`, `balance`, `largest_balance` or `canary`',
          ),
          ok: z.boolean().meta({ description: 'Whether the plan and its lines pass it' }),
          detail: words('What was found, for people'),
        })
        .meta({ description: 'One check.' }),
      'The checks',
    ),
    refused: list(
      z
        .strictObject({
          line: z.int().min(1).meta({ description: 'Number of the line' }),
          check: words('The check that it fails'),
          detail: words('Why, for people'),
        })
        .meta({ description: 'One line.' }),
      'The lines that would be refused, 1,000 at most',
    ),
    approval: z.boolean().meta({ description: 'Whether a second person would have to approve' }),
  })
  .meta({
    description: 'What would become of a plan. Nothing is stored.',
    xml: { name: 'dryRun' },
    examples: [
      {
        ...{ wouldBe: 'refused', lines: 2, total: 450_000, currency: 'CNY' },
        checks: [{ name: 'balance', ok: false, detail: '1 of 2 lines fails' }],
        refused: [
          { line: 2, check: 'balance', detail: "the account's available balance does not cover the amount" },
        ],
        approval: false,
      },
    ],
  });
