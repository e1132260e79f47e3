import { z } from 'zod';
import { count, currencyCode, list, time, words } from '../http/schema-pieces.js';

export const Proof = z
  .strictObject({
    at: time('When the proof began'),
    currencies: list(
      z
        .strictObject({
          currency: currencyCode,
          sum: words('The sum of all accounts in minor units. It must be `0`'),
          entries: count('Number of ledger entries'),
        })
        .meta({ description: 'One currency of the ledger.' }),
      'One row per currency; none when nothing was ever posted',
    ),
    invariants: list(
      z
        .strictObject({ name: words('The rule'), ok: z.boolean().meta({ description: 'Whether it holds' }) })
        .meta({ description: 'One rule that the books keep. docs/operations.md explains each.' }),
      'Every rule that was checked',
    ),
    chain: z
      .strictObject({
        sealedTo: count('Number of rows in the chain'),
        head: words(
          'The hash over all of them, in hexadecimal digits. Keep it: it proves later that nothing was changed',
        ),
        unsealed: count('Rows that are not in the chain yet, 1,000 at most'),
      })
      .meta({ description: 'The chain of hashes over the books.' }),
  })
  .meta({
    description: 'What the books are proven by.',
    xml: { name: 'proof' },
    examples: [
      {
        at: '2026-11-21T22:01:00.000Z',
        currencies: [{ currency: 'USD', sum: '0', entries: 42 }],
        invariants: [{ name: 'books_close', ok: true }],
        chain: {
          sealedTo: 97,
          head: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
          unsealed: 0,
        },
      },
    ],
  });
