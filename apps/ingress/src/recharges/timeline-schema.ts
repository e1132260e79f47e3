import { news, states } from '@replenish/domain';
import { z } from 'zod';
import { orNull, words } from '../http/schema-pieces.js';

const at = z.iso.datetime().meta({ description: 'When it happened (RFC 3339, UTC)' });
const ended = (what: string) =>
  z.iso
    .datetime()
    .nullable()
    .meta({ description: `${what}; null until then` });
const state = (description: string) => z.enum(states).meta({ description });

const row = <Kind extends string, Fields extends z.ZodRawShape>(
  kind: Kind,
  id: string,
  description: string,
  fields: Fields,
) =>
  z
    .strictObject({
      at,
      kind: z.literal(kind).meta({ description: 'The kind of this row' }),
      transactionId: z.uuid().optional().meta({
        description: 'Where a delivery or a refund has rows here too: the transaction that the row is about',
      }),
      ...fields,
    })
    .meta({ id, description });

const call = {
  operation: z
    .enum(['submit', 'query', 'cancel'])
    .meta({ description: '`submit` sends the order, `query` asks about it, `cancel` ends it' }),
  attempt: z.int().meta({ description: 'Number of the attempt to send the order, from 1' }),
  outcome: words(
    'What the call came to: `accepted`, `settled`, `rejected`, `found`, `absent`, `canceled`, `pending`, `still_payable`, `unknown`, `not_executed` or `unanswered`',
  ),
  providerCode: orNull("The provider's own code, where it gave one"),
  httpStatus: z.int().nullable().meta({ description: 'Status of its answer; null when none came' }),
  endedAt: ended('When the answer came'),
};

/** A row of the timeline. The field `kind` tells which row it is. */
export const TimelineRow = z.discriminatedUnion('kind', [
  row('request', 'TimelineRequest', 'The request was stored.', {
    idempotencyKey: words('Its idempotency key'),
    correlationId: words('Its correlation id'),
  }),
  row('transition', 'TimelineTransition', 'News about the recharge, and what it changed.', {
    seq: z.int().meta({ description: 'Number of the transition, from 1' }),
    news: z.enum(news).meta({ description: 'What was reported' }),
    verdict: z.enum(['moved', 'stale', 'conflict']).meta({
      description: '`moved`: the state changed. `stale`: nothing new. `conflict`: a case was opened',
    }),
    from: state('State before'),
    to: state('State after; the same as before unless the verdict is `moved`'),
    source: words('Who reported it: `submission`, `webhook`, `poll`, `client` or `operator`'),
    reason: words('The reason, for people'),
  }),
  row('provider_call', 'TimelineProviderCall', 'The order was sent to the provider.', call),
  row('poll', 'TimelinePoll', 'The provider was asked about the order.', call),
  row('webhook', 'TimelineWebhook', 'The provider sent an event.', {
    provider: words('Name of the provider'),
    eventId: words("The provider's id of the event"),
    processedAt: ended('When it was processed'),
    verdict: orNull('What it changed, as in a transition; null until it is processed'),
  }),
  row('posting', 'TimelinePosting', 'An entry of the ledger.', {
    slot: words(
      'Reason of the posting: `collect`, `hold`, `settle`, `reverse`, `adopt`, `suspense` or `credit`. The last two have a number from the second on: `suspense_2`',
    ),
    debit: words('Account that the amount is taken from'),
    credit: words('Account that the amount is added to'),
    amount: z.number().meta({ type: 'integer', description: 'Minor units of the currency' }),
    currency: words('ISO 4217 code'),
  }),
  row('case', 'TimelineCase', 'A case was opened: a person has to decide.', {
    caseId: words('Id of the case'),
    caseKind: words('What was found, such as `wrong_amount` or `late_money`'),
    closedAt: ended('When it was closed'),
    resolution: orNull('How it was closed'),
  }),
  row('operator', 'TimelineOperator', 'A person decided about a case.', {
    caseId: words('Id of the case'),
    verb: words('What was decided: `adopt`, `return`, `fail`, `resubmit` or `dismiss`'),
    actor: words('Who decided'),
    role: words('`client` for a key, `operator` for a person on the command line'),
    reason: words('The reason, for people'),
  }),
]);
