import { states, waitingReasons } from '@replenish/domain';
import { z } from 'zod';
import {
  currencyCode,
  id,
  list,
  minor,
  nextCursor,
  orNull,
  time,
  timeOrNull,
  words,
} from '../http/schema-pieces.js';
import { TimelineRow } from './timeline-schema.js';

const example = {
  transactionId: '01a2122d-35de-70af-9927-1ae329a0e10b',
  kind: 'collect',
  status: 'accepted',
  state: 'CREATED',
  accountId: 'acct-1001',
  amount: 4999,
  currency: 'USD',
  paymentMethod: 'sandbox',
  destination: 'wallet',
  provider: 'sandbox',
  providerAccount: 'main',
  source: null,
  target: null,
  providerOrderId: null,
  externalReference: null,
  action: null,
  waiting: {
    reason: 'QUEUE',
    since: '2026-11-21T22:00:00.000Z',
    until: null,
    detail: 'It will be sent to the provider in a moment.',
  },
  delivery: null,
  collectedBy: null,
  refundOf: null,
  refunded: 0,
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

const Waiting = z.strictObject({
  reason: z.enum(waitingReasons).meta({
    description:
      '`QUEUE`: it is taken up in a moment. `PROVIDER`: the provider has not settled it. `ANSWER`: the outcome of a call is being asked about. `PROOF`: absence is being proven before anything is sent again. `PAYER`: see `action`. `PROVIDER_DOWN`: the provider does not answer, and is tried again at `until`. `SOURCE_FUNDS`: the paying account holds too little. `LANE`: another transfer between the same accounts is under way. `DELIVERY`: the delivery is being taken up. `PERSON`: a case is open',
  }),
  since: time('Since when'),
  until: timeOrNull('Until when; null where nobody can know'),
  detail: words('The reason as a sentence for people'),
  caseId: z.uuid().optional().meta({ description: 'The case that stops it' }),
  transactionId: z.uuid().optional().meta({ description: 'The delivery that waits' }),
});

export const Recharge = z
  .strictObject({
    transactionId: id('Id of the recharge'),
    kind: z.enum(['collect', 'deliver', 'refund']).meta({
      description:
        '`collect`: money comes in. `deliver`: money goes to a cloud account. `refund`: money of an earlier recharge goes back',
    }),
    status: z.enum(['accepted', 'in_progress', 'succeeded', 'failed', 'canceled']).meta({
      description:
        'What programs go by. `succeeded`: the money has arrived. `failed`, `canceled`: the account was not credited. The other two are not final',
    }),
    state: z.enum(states).meta({ description: 'The state behind the status, in more detail' }),
    accountId: words('The account to recharge'),
    amount: minor('The amount'),
    currency: currencyCode,
    paymentMethod: words('How the recharge is paid for'),
    destination: z.enum(['wallet', 'cloud']).nullable().meta({
      description:
        'Where the money goes. A collect with `cloud` is followed by its delivery; null for a refund',
    }),
    provider: words('The provider that carries it out'),
    providerAccount: words('The name of our account at the provider'),
    source: orNull('The account at the provider that pays a delivery to a payee. Null: there is none'),
    target: orNull('The account at the provider that a delivery pays into'),
    providerOrderId: orNull("The provider's id of the order; null until the provider has named it"),
    externalReference: orNull(
      "The number of the order in the provider's statements; `providerOrderId` where it has no other",
    ),
    action: z
      .strictObject({
        type: z.enum(['redirect', 'qr_code', 'client_secret']).meta({
          description:
            "`redirect`: open the address. `qr_code`: show it as a code to scan. `client_secret`: hand it to the provider's form",
        }),
        value: words('The address, the content of the code, or the secret'),
        expiresAt: timeOrNull('When it stops working'),
      })
      .nullable()
      .meta({ description: 'What the payer has to do; null when nobody has to pay' }),
    waiting: Waiting.nullable().meta({ description: 'What it waits for; null when it is final' }),
    delivery: z
      .strictObject({
        transactionId: id('Id of the delivery, a transaction of its own'),
        state: z.enum(states).meta({ description: 'The state of the delivery' }),
        status: z
          .enum(['accepted', 'in_progress', 'succeeded', 'failed', 'canceled'])
          .meta({ description: 'The status of the delivery' }),
      })
      .nullable()
      .meta({ description: 'The delivery of collected money; null until the money is collected' }),
    collectedBy: orNull('Of a delivery: id of the recharge that collected its money'),
    refundOf: orNull('Of a refund: id of the recharge that it pays back'),
    refunded: z.int().meta({
      description: 'Minor units that were paid back, or are being paid back',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    }),
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
