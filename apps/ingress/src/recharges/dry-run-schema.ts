import { z } from 'zod';
import { currencyCode, exactMinor, list, minor, words } from '../http/schema-pieces.js';

export const DryRun = z
  .strictObject({
    wouldBe: z.enum(['accepted', 'refused']).meta({ description: 'What would become of the request' }),
    checks: list(
      z
        .strictObject({
          name: words(
            '`account`, `route`, `key_currency`, `ceiling`, `payee`, `payee_currency`, `balance` or `largest_balance`',
          ),
          ok: z.boolean().meta({ description: 'Whether the request passes it' }),
          detail: words('What was found, for people'),
        })
        .meta({ description: 'One check.' }),
      'The checks that were made; a check that depends on a failed one is missing',
    ),
    postings: list(
      z
        .strictObject({
          slot: words('Reason of the posting: `collect`, `hold` or `settle`'),
          debit: words('Account that the amount is taken from'),
          credit: words('Account that the amount is added to'),
          amount: minor('The amount'),
          currency: currencyCode,
        })
        .meta({ description: 'One posting.' }),
      'What the whole recharge would book until it succeeds; none when it would be refused',
    ),
    balancesAfter: list(
      z
        .strictObject({
          currency: currencyCode,
          available: exactMinor('What could be spent'),
          frozen: exactMinor('What would be held for recharges under way'),
          total: exactMinor('The sum of both'),
        })
        .meta({ description: 'The balance in one currency.' }),
      'The balance of the account in the currency of the recharge, once these postings are booked',
    ),
    approval: z.boolean().meta({ description: 'Whether a second person would have to approve' }),
  })
  .meta({
    description: 'What would become of a request. Nothing is stored.',
    xml: { name: 'dryRun' },
    examples: [
      {
        wouldBe: 'accepted',
        checks: [{ name: 'account', ok: true, detail: 'the key covers the account' }],
        postings: [
          {
            slot: 'collect',
            debit: 'provider:sandbox:clearing',
            credit: 'wallet:acct-1001:available',
            amount: 4999,
            currency: 'USD',
          },
        ],
        balancesAfter: [{ currency: 'USD', available: 4999, frozen: 0, total: 4999 }],
        approval: false,
      },
    ],
  });
