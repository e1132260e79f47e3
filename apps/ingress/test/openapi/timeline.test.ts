import { expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { openapiDocument } from '../../src/openapi/document.js';
import { created, openIngress } from '../support/ingress.js';

const ajv = addFormats.default(new Ajv2020({ strict: false }));
ajv.addSchema(openapiDocument('https://pay.example'), 'openapi');

test('every kind of timeline row fits the document', async () => {
  const ingress = await openIngress();
  try {
    const key = await ingress.client();
    const { id, amountMinor, currency } = await created(ingress, key);
    const report = { transactionId: id, source: 'submission', reason: 'told' } as const;
    await ingress.domain.applyNews({ ...report, news: 'submit' });
    const at = new Date();
    const call = {
      operation: 'submit',
      attempt: 1,
      outcome: 'rejected',
      startedAt: at,
      endedAt: at,
    } as const;
    await ingress.domain.applyNews({
      ...report,
      news: 'declined',
      attempt: 1,
      calls: [{ ...call, id: id.replace(/^0/, '1'), providerCode: null, httpStatus: 422 }],
    });
    await ingress.domain.applyNews({ ...report, news: 'settled', money: { amountMinor, currency } });
    await ingress.sql(
      `insert into provider_call (id, transaction_id, attempt, operation, started_at)
       values (gen_random_uuid(), $1, 1, 'query', now())`,
      [id],
    );
    await ingress.sql(
      `insert into webhook_event (id, provider, event_id, transaction_id, raw_body, body_hash, correlation_id, due_at)
       values (gen_random_uuid(), 'sandbox', 'evt-1', $1, 'x', 'x', 'c', now())`,
      [id],
    );
    const { body } = await ingress.call('GET', `/v1/recharges/${id}/timeline`, { key });
    const kinds = new Set(body.data.map(({ kind }) => kind));
    expect([...kinds].sort()).toEqual([
      'case',
      'poll',
      'posting',
      'provider_call',
      'request',
      'transition',
      'webhook',
    ]);
    const validate = ajv.getSchema('openapi#/components/schemas/Timeline')!;
    expect([validate(body), validate.errors]).toEqual([true, null]);
    expect(validate({ data: [{ at: '2026-11-21T22:00:00.000Z', kind: 'poll' }] })).toBe(false);
  } finally {
    await ingress.close();
  }
});
