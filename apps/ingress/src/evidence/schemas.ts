import { states } from '@replenish/domain';
import { requestTextNames } from '@replenish/domain/rules';
import { z } from 'zod';
import { currencyCode, id, list, orNull, time, timeOrNull, words } from '../http/schema-pieces.js';

const amount = (description: string) => z.int().meta({ description: `${description}, in minor units` });
const object = (description: string) => z.record(z.string(), z.unknown()).nullable().meta({ description });
const transactionId = id('The transaction that the row is about');
const hash = (description: string) => words(`${description}, SHA-256 in hexadecimal digits`);

const PackedRecharge = z
  .strictObject({
    transactionId: id('Id of the transaction'),
    kind: z.enum(['collect', 'deliver', 'refund']).meta({ description: 'What it does' }),
    direction: z.enum(['in', 'out']).meta({ description: 'Whether money comes in or goes out' }),
    funding: words('What pays it: `wallet`, `house` or `suspense`'),
    state: z.enum(states).meta({ description: 'Its state' }),
    clientId: id('The client'),
    accountId: words('The account'),
    amount: amount('The amount'),
    currency: currencyCode,
    paymentMethod: words('How it is paid for'),
    provider: words('The provider'),
    providerAccount: words('The name of our account at the provider'),
    payee: object('Where at a cloud its money is delivered'),
    providerOrderId: orNull("The provider's id of the order"),
    externalReference: orNull("The number of the order in the provider's statements"),
    orderReference: orNull("The client's own reference"),
    collectedBy: orNull('Of a delivery: the recharge that collected its money'),
    refundOf: orNull('Of a refund: the recharge that it pays back'),
    failure: object('Why it failed'),
    createdAt: time('When it was stored'),
    submittedAt: timeOrNull('When it was first sent'),
    succeededAt: timeOrNull('When it succeeded'),
    failedAt: timeOrNull('When it failed'),
    canceledAt: timeOrNull('When it was canceled'),
  })
  .meta({ id: 'EvidenceRecharge', description: 'A transaction as the books have it.' });

const requestTextsAsSent = Object.fromEntries(
  requestTextNames.filter((name) => name !== 'orderReference').map((name) => [name, orNull('As sent')]),
);

const PackedRequest = z
  .strictObject({
    transactionId,
    idempotencyKey: words('Its idempotency key'),
    fingerprint: hash('The hash of its fields'),
    correlationId: words('Its correlation id'),
    metadata: z.record(z.string(), z.string()).meta({ description: "The client's own data" }),
    ...requestTextsAsSent,
    reason: orNull('Of a refund: why it was asked for'),
    requestedAt: timeOrNull('The time in the request'),
    receivedAt: time('When it was stored'),
  })
  .meta({ id: 'EvidenceRequest', description: 'A request as it was sent.' });

const row = (about: string) =>
  z.looseObject({ transactionId }).meta({ description: `${about}, with the fields of the timeline.` });

const Chain = z
  .strictObject({
    head: z
      .strictObject({
        seq: z.int().meta({ description: 'Its number' }),
        hash: hash('Its hash'),
        sealedAt: time('When it was made'),
      })
      .nullable()
      .meta({ description: 'The newest link of the whole chain' }),
    links: list(
      z
        .strictObject({
          seq: z.int().meta({ description: 'Its number in the chain' }),
          source: words('`transition`, `journal`, `case` or `action`'),
          rowKey: words('The row that it covers'),
          body: words('The text that it covers'),
          before: hash('The hash of the link before it'),
          hash: hash('Its hash: of `before` and of source, row key and body, each followed by a line break'),
          sealedAt: time('When it was made'),
        })
        .meta({ description: 'One link of the chain.' }),
      'The links of the rows of this pack',
    ),
    unsealed: list(
      z
        .strictObject({ source: words('The kind of the row'), rowKey: words('The row') })
        .meta({ description: 'A row without a link.' }),
      'The rows that are not in the chain yet',
    ),
  })
  .meta({ description: 'Where the rows are in the chain of hashes.' });

export const Evidence = z
  .strictObject({
    format: z.literal('replenish-evidence/1').meta({ description: 'The form of the pack' }),
    madeAt: time('When the pack was made'),
    transactionId: id('Id of the recharge'),
    recharge: PackedRecharge,
    request: PackedRequest,
    parts: list(
      z
        .strictObject({ recharge: PackedRecharge, request: PackedRequest })
        .meta({ description: 'A delivery or a refund.' }),
      'The delivery and the refunds, 50 at most. Their rows are in the lists below, too',
    ),
    transitions: list(row('A transition'), 'News, and what it changed'),
    calls: list(row('A call to the provider'), 'Calls to the provider'),
    webhooks: list(row('An event of the provider'), 'Events of the provider, without their bodies'),
    postings: list(row('An entry of the ledger'), 'Entries of the ledger'),
    sums: list(
      z
        .strictObject({
          account: words('The account of the ledger'),
          currency: currencyCode,
          sum: amount('Credits less debits'),
        })
        .meta({ description: 'One account.' }),
      'What the postings come to per account',
    ),
    cases: list(row('A case'), 'The cases about it'),
    actions: list(row('A decision of a person'), 'Decisions of people'),
    chain: Chain,
  })
  .meta({ description: 'Everything on record about one recharge.', xml: { name: 'evidencePack' } });
