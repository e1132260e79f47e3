import { callbackTypes } from '@replenish/domain/rules';
import { z } from 'zod';
import { id, list, nextCursor, orNull, time, timeOrNull, words } from '../http/schema-pieces.js';

const secret = words('The signing secret (Standard Webhooks): `whsec_` and base64. Keep it like a password');
const previousSecretValidUntil = z.iso.datetime().nullable().meta({
  description:
    'Until then events are signed with the secret from before the last rotation, too (RFC 3339, UTC); null: there was no rotation',
});

const endpointFields = {
  endpointId: id('Id of the endpoint'),
  url: words('Where events are posted'),
  events: list(z.enum(callbackTypes), 'The types of events that it hears'),
  status: z.enum(['active', 'disabled']).meta({ description: '`disabled`: nothing is posted any more' }),
  disabledBecause: z.enum(['GONE', 'FAILING']).nullable().meta({
    description:
      '`GONE`: the address answered 410. `FAILING`: nothing arrived there for five days. Null while it is active',
  }),
  disabledAt: timeOrNull('When it was disabled'),
  createdAt: time('When it was made'),
  previousSecretValidUntil,
};

const endpointExample = {
  endpointId: '01a2122d-0000-7000-8000-1ae329a0e10d',
  url: 'https://shop.example.com/replenish',
  events: ['recharge.succeeded', 'recharge.failed'],
  status: 'active',
  disabledBecause: null,
  disabledAt: null,
  createdAt: '2026-11-21T22:00:00.000Z',
  previousSecretValidUntil: null,
};
const SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';

export const CallbackEndpoint = z.strictObject(endpointFields).meta({
  description: 'An address that events are posted to.',
  xml: { name: 'callbackEndpoint' },
  examples: [endpointExample],
});

export const NewCallbackEndpoint = z.strictObject({ ...endpointFields, secret }).meta({
  description: 'An endpoint with its secret, which is shown only here.',
  xml: { name: 'callbackEndpoint' },
  examples: [{ ...endpointExample, secret: SECRET }],
});

export const CallbackEndpoints = z
  .strictObject({ data: list(CallbackEndpoint, 'The endpoints, newest first') })
  .meta({
    description: 'The endpoints of a client.',
    xml: { name: 'callbackEndpoints' },
    examples: [{ data: [endpointExample] }],
  });

export const CallbackSecret = z
  .strictObject({ secret, createdAt: time('When it was made'), previousSecretValidUntil })
  .meta({
    description: 'What signs the events that are posted to a `callbackUrl`.',
    xml: { name: 'callbackSecret' },
    examples: [{ secret: SECRET, createdAt: '2026-11-21T22:00:00.000Z', previousSecretValidUntil: null }],
  });

const attempt = z
  .strictObject({
    at: time('When it began'),
    httpStatus: z.int().nullable().meta({ description: 'What was answered; null: nothing' }),
    error: orNull('Why it did not arrive; null: it did'),
    durationMs: z.int().meta({ description: 'How long it took, in milliseconds' }),
  })
  .meta({ description: 'One attempt.' });

const deliveryExample = {
  deliveryId: '01a2122d-0000-7000-8000-1ae329a0e10e',
  eventId: '01a2122d-0000-7000-8000-1ae329a0e10f',
  type: 'recharge.succeeded',
  url: 'https://shop.example.com/replenish',
  endpointId: '01a2122d-0000-7000-8000-1ae329a0e10d',
  transactionId: '01a2122d-0000-7000-8000-1ae329a0e10b',
  status: 'pending',
  attempts: [{ at: '2026-11-21T22:00:01.000Z', httpStatus: 503, error: 'answered 503', durationMs: 41 }],
  nextAttemptAt: '2026-11-21T22:00:06.500Z',
  createdAt: '2026-11-21T22:00:00.900Z',
};

export const CallbackDelivery = z
  .strictObject({
    deliveryId: id('Id of the delivery'),
    eventId: id('Id of the event: the header `webhook-id`, the same at each attempt'),
    type: z.enum(callbackTypes).meta({ description: 'The type of the event' }),
    url: words('Where it is posted'),
    endpointId: id('').nullable().meta({
      description: 'The endpoint; null when the address is the `callbackUrl` of the recharge',
    }),
    transactionId: id('')
      .nullable()
      .meta({ description: 'The recharge or refund that it is about; null: none' }),
    status: z.enum(['pending', 'delivered', 'failed', 'canceled']).meta({
      description:
        '`pending`: it is tried again. `failed`: it was given up. `canceled`: its endpoint was removed or disabled',
    }),
    attempts: list(attempt, 'The newest 100 attempts, oldest first'),
    nextAttemptAt: timeOrNull('When it is tried next').meta({
      description: 'When it is tried next (RFC 3339, UTC); null when it is not pending',
    }),
    createdAt: time('When the event happened'),
  })
  .meta({
    description: 'An event on its way to one receiver.',
    xml: { name: 'callbackDelivery' },
    examples: [deliveryExample],
  });

export const CallbackDeliveries = z
  .strictObject({ data: list(CallbackDelivery, 'The deliveries, newest first'), nextCursor })
  .meta({
    description: 'A page of deliveries.',
    xml: { name: 'callbackDeliveries' },
    examples: [{ data: [deliveryExample], nextCursor: null }],
  });

export const Replayed = z
  .strictObject({ replayed: z.int().min(0).meta({ description: 'How many events are sent again' }) })
  .meta({ description: 'What is sent again.', xml: { name: 'replayed' }, examples: [{ replayed: 12 }] });
