import { z } from 'zod';
import { currencyCode, exactMinor, id, list, nextCursor, time, words } from '../http/schema-pieces.js';

const entryExample = {
  entryId: '42',
  at: '2026-11-21T22:00:00.280Z',
  transactionId: '01a2122d-35de-70af-9927-1ae329a0e10b',
  slot: 'collect',
  amount: 4999,
  currency: 'USD',
  balance: 4999,
  counterparty: 'provider:sandbox:clearing',
};

const Entry = z
  .strictObject({
    entryId: words('Id of the entry; later entries have larger ids'),
    at: time('When it was posted'),
    transactionId: id('The recharge that it belongs to'),
    slot: words('Reason of the posting: `collect`, `hold`, `settle`, `reverse` or `suspense`'),
    amount: exactMinor('What was added to the available balance, below zero what was taken from it'),
    currency: currencyCode,
    balance: exactMinor('The available balance after the entry'),
    counterparty: words('The account on the other side of the entry'),
  })
  .meta({ description: 'One entry of the ledger, as the account sees it.' });

export const Balance = z
  .strictObject({
    accountId: words('The account'),
    balances: list(
      z
        .strictObject({
          currency: currencyCode,
          available: exactMinor('What can be spent'),
          frozen: exactMinor('What is held for recharges under way'),
          total: exactMinor('The sum of both'),
        })
        .meta({ description: 'The balance in one currency.' }),
      'One row per currency; none when nothing was ever posted',
    ),
    history: list(Entry, 'The newest 20 entries'),
    asOf: time('When the balance was read, or the `at` of the request'),
  })
  .meta({
    description: 'The balances of one account.',
    xml: { name: 'balance' },
    examples: [
      {
        accountId: 'acct-1001',
        balances: [{ currency: 'USD', available: 4999, frozen: 0, total: 4999 }],
        history: [entryExample],
        asOf: '2026-11-21T22:01:00.000Z',
      },
    ],
  });

export const Ledger = z
  .strictObject({ data: list(Entry, 'The entries of this page, newest first'), nextCursor })
  .meta({
    description: 'A page of ledger entries.',
    xml: { name: 'ledger' },
    examples: [{ data: [entryExample], nextCursor: null }],
  });
