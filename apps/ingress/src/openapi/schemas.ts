import { states } from '@replenish/domain';
import { z } from 'zod';
import { type Code, codes } from '../http/problem.js';
import {
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
import { TimelineRow } from './timeline.js';

/** What the routes answer, as schemas: for /openapi.json, and for the tests that hold the routes to it. */
const example = {
  transactionId: '01a2122d-35de-70af-9927-1ae329a0e10b',
  status: 'accepted',
  state: 'CREATED',
  accountId: 'acct-1001',
  amount: 4999,
  currency: 'USD',
  paymentMethod: 'sandbox',
  provider: 'sandbox',
  providerOrderId: null,
  externalReference: null,
  orderReference: 'PO-7',
  message: 'Accepted; it will be sent to the provider.',
  failure: null,
  metadata: { team: 'billing' },
  createdAt: '2026-11-21T22:00:00.000Z',
  updatedAt: '2026-11-21T22:00:00.000Z',
  submittedAt: null,
  succeededAt: null,
  failedAt: null,
  canceledAt: null,
};

export const Recharge = z
  .strictObject({
    transactionId: id('Id of the recharge'),
    status: z.enum(['accepted', 'in_progress', 'succeeded', 'failed', 'canceled']).meta({
      description:
        'What programs go by. `succeeded`: the money has arrived. `failed`, `canceled`: the account was not credited. The other two are not final',
    }),
    state: z.enum(states).meta({ description: 'The state behind the status, in more detail' }),
    accountId: words('The account to recharge'),
    amount: minor('The amount'),
    currency: currencyCode,
    paymentMethod: words('How the recharge is paid for'),
    provider: words('The provider that carries it out'),
    providerOrderId: orNull("The provider's id of the order; null until the provider has named it"),
    externalReference: orNull('The same as `providerOrderId`'),
    orderReference: orNull('Your own reference, as sent'),
    message: words('What is going on, for people. Programs read `status` and `failure.code`'),
    failure: z
      .strictObject({
        code: words('`PAYMENT_FAILED`: the provider declined. `PROVIDER_ERROR`: it refused the order'),
        message: words("The provider's reason, for people"),
      })
      .nullable()
      .meta({ description: 'Why it failed; null unless the status is `failed`' }),
    metadata: z.record(z.string(), z.string()).meta({
      description: 'Your own data, as sent. In XML `<metadata><entry key="name">value</entry></metadata>`',
    }),
    createdAt: time('When it was stored'),
    updatedAt: time('When it last changed'),
    submittedAt: timeOrNull('When it was first sent to the provider'),
    succeededAt: timeOrNull('When it succeeded'),
    failedAt: timeOrNull('When it failed'),
    canceledAt: timeOrNull('When it was canceled'),
  })
  .meta({ description: 'One recharge.', xml: { name: 'recharge' }, examples: [example] });

export const Recharges = z
  .strictObject({ data: list(Recharge, 'The recharges of this page, newest first'), nextCursor })
  .meta({
    description: 'A page of recharges.',
    xml: { name: 'recharges' },
    examples: [{ data: [example], nextCursor: null }],
  });

export const Timeline = z.strictObject({ data: list(TimelineRow, 'What happened, oldest first') }).meta({
  description: 'Everything that happened to one recharge.',
  xml: { name: 'timeline' },
  examples: [
    {
      data: [
        {
          at: '2026-11-21T22:00:00.000Z',
          kind: 'request',
          idempotencyKey: 'PO-7',
          correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
        },
        {
          at: '2026-11-21T22:00:00.104Z',
          kind: 'transition',
          seq: 1,
          news: 'submit',
          verdict: 'moved',
          from: 'CREATED',
          to: 'SUBMITTED',
          source: 'submission',
          reason: 'to be sent to sandbox',
        },
      ],
    },
  ],
});

export const Charge = z
  .strictObject({
    status: z.enum(['processing', 'success', 'failed']).meta({
      description:
        '`success`: the money has arrived. `failed`: the account was not credited. `processing`: not known yet, read the recharge by its id',
    }),
    transaction_id: id('Id of the recharge'),
    message: words('What is going on, for people'),
    code: z.string().optional().meta({ description: 'Why it failed: `PAYMENT_FAILED` or `PROVIDER_ERROR`' }),
  })
  .meta({
    description: 'The outcome of a charge, as far as it is known.',
    xml: { name: 'charge' },
    examples: [
      { status: 'success', transaction_id: example.transactionId, message: 'The recharge succeeded.' },
    ],
  });

const entryExample = {
  entryId: '42',
  at: '2026-11-21T22:00:00.280Z',
  transactionId: example.transactionId,
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
    asOf: time('When the balance was read'),
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

export const Calls = z
  .strictObject({
    data: list(
      z
        .strictObject({
          callId: words('Id of the row'),
          at: time('When the call arrived'),
          ip: words('Address of the caller'),
          keyId: orNull('The key that was used'),
          method: words('HTTP method'),
          route: words('The route that was called, such as `/v1/recharges/{id}`'),
          params: z
            .record(z.string(), z.unknown())
            .meta({ description: 'Parameters of path, query and body that are kept' }),
          accountId: orNull('The account that was named'),
          status: z.int().meta({ description: 'HTTP status of the answer' }),
          code: orNull('Code of the problem; null when it worked'),
          durationMs: z.number().meta({ description: 'How long it took, in milliseconds' }),
          correlationId: words('Its correlation id'),
        })
        .meta({ description: 'One call.' }),
      'The calls of this page, newest first',
    ),
    nextCursor,
  })
  .meta({
    description: 'A page of calls.',
    xml: { name: 'calls' },
    examples: [
      {
        data: [
          {
            callId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b11',
            at: '2026-11-21T22:00:00.000Z',
            ip: '192.0.2.7',
            keyId: 'rk_test_0a1b2c3d4e5f607182',
            method: 'POST',
            route: '/v1/recharges',
            params: { accountId: 'acct-1001', amount: 4999 },
            accountId: 'acct-1001',
            status: 202,
            code: null,
            durationMs: 4.2,
            correlationId: '0190b3a2-7c1e-7d1b-9a55-3f2c8e6d4b10',
          },
        ],
        nextCursor: null,
      },
    ],
  });

export const Problem = z
  .strictObject({
    type: words('Address of the page that explains the code'),
    title: words('What the code means, in short'),
    status: z.int().min(400).max(599).meta({ description: 'The HTTP status of the answer' }),
    detail: words('What is wrong with this request, for people. Programs read `code`'),
    code: z
      .enum(Object.keys(codes) as Code[])
      .meta({ description: 'What programs go by; the set is closed' }),
    correlationId: words('Quote it when you ask about the call'),
    errors: list(
      z
        .strictObject({
          path: words('The field, header or parameter at fault; empty for the body as a whole'),
          message: words('What is wrong with it'),
        })
        .meta({ description: 'One fault.' }),
      'Each fault of the request, with `INVALID_ARGUMENT`',
    ).optional(),
  })
  .meta({ description: 'A refusal or an error (RFC 9457).', xml: { name: 'problem' } });

export const Health = z
  .strictObject({
    ok: z.boolean().meta({ description: 'Whether all checks passed' }),
    checks: z.record(z.string(), z.string()).meta({ description: 'Each check: `ok` or `away`' }),
  })
  .meta({
    description: 'Health of one process.',
    examples: [{ ok: true, checks: { database: 'ok', queue: 'ok' } }],
  });
