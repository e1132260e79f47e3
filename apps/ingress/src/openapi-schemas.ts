import { states } from '@replenish/domain';
import { z } from 'zod';
import { type Code, codes } from './problem.js';

/** What the routes answer, as schemas: for the document at /openapi.json, and for the tests that hold the routes to it. */
const time = z.iso.datetime();
const minor = z
  .int()
  .min(1)
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ description: 'Minor units of the currency' });
// Sums have no bound that a float could hold; JSON and XML carry them as the digits they are.
const exactMinor = z.number().meta({
  type: 'integer',
  description: 'Minor units of the currency; may pass 2^53, read it without a float',
});
const id = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
const list = <Item extends z.ZodType>(item: Item) =>
  z.array(item.meta({ ...item.meta(), xml: { name: 'item' } })).meta({ xml: { wrapped: true } });

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
    transactionId: id,
    status: z.enum(['accepted', 'in_progress', 'succeeded', 'failed', 'canceled']),
    state: z.enum(states),
    accountId: z.string(),
    amount: minor,
    currency: z.string().regex(/^[A-Z]{3}$/),
    paymentMethod: z.string(),
    provider: z.string(),
    providerOrderId: z.string().nullable(),
    externalReference: z.string().nullable().meta({ description: 'The same as providerOrderId' }),
    orderReference: z.string().nullable(),
    message: z.string().meta({ description: 'For people; programs read status and failure.code' }),
    failure: z
      .strictObject({
        code: z.string().meta({ description: 'PAYMENT_FAILED or PROVIDER_ERROR' }),
        message: z.string(),
      })
      .nullable(),
    metadata: z.record(z.string(), z.string()).meta({
      description:
        'In XML `<metadata><name>value</name></metadata>`, or `<entry key="any name">value</entry>`',
    }),
    createdAt: time,
    updatedAt: time,
    submittedAt: time.nullable(),
    succeededAt: time.nullable(),
    failedAt: time.nullable(),
    canceledAt: time.nullable(),
  })
  .meta({ xml: { name: 'recharge' }, examples: [example] });

export const Recharges = z
  .strictObject({
    data: list(Recharge),
    nextCursor: z.string().nullable().meta({
      description:
        'Pass it as `cursor`; null on the last page. A page may hold fewer rows than `limit`, even none, and still have a next one: go on until this is null',
    }),
  })
  .meta({ xml: { name: 'recharges' } });

const kinds = [
  'request',
  'transition',
  'provider_call',
  'webhook',
  'poll',
  'posting',
  'case',
  'operator',
] as const;

export const Timeline = z
  .strictObject({
    data: list(
      z.looseObject({ at: z.string(), kind: z.enum(kinds) }).meta({
        description: 'Each kind has further fields of its own',
      }),
    ),
  })
  .meta({ xml: { name: 'timeline' } });

export const Charge = z
  .strictObject({
    status: z.enum(['processing', 'success', 'failed']),
    transaction_id: id,
    message: z.string(),
    code: z.string().optional().meta({ description: 'Why it failed: PAYMENT_FAILED or PROVIDER_ERROR' }),
  })
  .meta({ xml: { name: 'charge' } });

const Entry = z.strictObject({
  entryId: z.string(),
  at: time,
  transactionId: id,
  slot: z.string(),
  amount: exactMinor,
  currency: z.string(),
  balance: exactMinor,
  counterparty: z.string(),
});

export const Balance = z
  .strictObject({
    accountId: z.string(),
    balances: list(
      z.strictObject({
        currency: z.string(),
        available: exactMinor,
        frozen: exactMinor,
        total: exactMinor,
      }),
    ),
    history: list(Entry).meta({ description: 'The newest 20 entries' }),
    asOf: time,
  })
  .meta({ xml: { name: 'balance' } });

export const Ledger = z
  .strictObject({ data: list(Entry), nextCursor: z.string().nullable() })
  .meta({ xml: { name: 'ledger' } });

export const Calls = z
  .strictObject({
    data: list(
      z.strictObject({
        callId: z.string(),
        at: time,
        ip: z.string(),
        keyId: z.string().nullable(),
        method: z.string(),
        route: z.string().meta({ description: 'The pattern that matched, not the path' }),
        params: z.record(z.string(), z.unknown()),
        accountId: z.string().nullable(),
        status: z.int(),
        code: z.string().nullable(),
        durationMs: z.number(),
        correlationId: z.string(),
      }),
    ),
    nextCursor: z.string().nullable(),
  })
  .meta({ xml: { name: 'calls' } });

export const Problem = z
  .strictObject({
    type: z.string().meta({ description: 'The page that explains the code' }),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().meta({ description: 'For people; programs read code' }),
    code: z.enum(Object.keys(codes) as Code[]),
    correlationId: z.string(),
    errors: list(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ xml: { name: 'problem' } });

export const Health = z.strictObject({ ok: z.boolean(), checks: z.record(z.string(), z.string()) });
