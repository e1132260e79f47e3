import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { bearer, client, type Fleet, get, post, startFleet, until } from '../../src/index.js';
import { patience, TEST_LIMIT_MS } from '../support/setting.js';
import { attributeOf, type CollectedSpan, Collector } from './collector.js';

jest.setTimeout(TEST_LIMIT_MS);
const LIMIT = { limitMs: TEST_LIMIT_MS / 4 };

let collector: Collector;
let fleet: Fleet;
let headers: Record<string, string>;

beforeAll(async () => {
  collector = await Collector.open();
  fleet = await startFleet({
    redisUrl: process.env.REDIS_URL ?? null,
    processes: [
      ...(['sandbox', 'ingress', 'submission-worker', 'webhook-worker'] as const),
      ...(['reconciliation-worker', 'callback-worker'] as const),
    ],
    env: {
      ...patience,
      CALLBACK_ALLOW: collector.place,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector.place}`,
      OTEL_BSP_SCHEDULE_DELAY: '200',
    },
  });
  headers = { authorization: bearer(await client(fleet)) };
});
afterAll(async () => {
  collector?.close();
  await fleet?.stop();
});

// The producer's span. The ingress continues its trace.
const producer = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const recharge = { accountId: 'acct-1001', amount: 4999, currency: 'USD', paymentMethod: 'sandbox' };

async function succeeded(scenario: string, more: Record<string, string> = {}): Promise<string> {
  const body = {
    ...recharge,
    metadata: { scenario },
    callbackUrl: `http://${collector.place}/callback`,
  };
  const { status, body: taken } = await post(fleet, body, { ...headers, ...more });
  expect(status).toBe(202);
  const { transactionId: id } = taken;
  const state = async () => (await get(fleet, `/v1/recharges/${id}`, headers)).body.state;
  await until(async () => (await state()) === 'SUCCEEDED', LIMIT, `${id} SUCCEEDED`);
  return id;
}

const found = (what: string, is: (span: CollectedSpan) => boolean): Promise<CollectedSpan> =>
  until(() => collector.spans.find(is) ?? false, LIMIT, what) as Promise<CollectedSpan>;

const parentOf = (span: CollectedSpan): Promise<CollectedSpan> =>
  found(`the parent of ${span.name}`, ({ spanId }) => spanId === span.parentSpanId);

const traceOf = ({ links = [] }: CollectedSpan): string[] => links.map(({ traceId }) => traceId);

test('a trace of one recharge has every step with its parent, or a link from the trace of the step', async () => {
  const traceparent = `00-${producer.traceId}-${producer.spanId}-01`;
  const id = await succeeded('ok', { traceparent });
  const inTrace = (name: string) => (span: CollectedSpan) =>
    span.traceId === producer.traceId && span.name === name;

  const request = await found('the request', inTrace('POST /v1/recharges'));
  expect(request.parentSpanId).toBe(producer.spanId);
  expect(attributeOf(request, 'replenish.transaction_id')).toBe(id);
  expect(attributeOf(request, 'http.response.status_code')).toBe(202);
  const hint = await found('the hint', inTrace('send submission-sandbox'));
  expect(hint.parentSpanId).toBe(request.spanId);
  const job = await found('the job', inTrace('process submission-sandbox'));
  expect(job.parentSpanId).toBe(hint.spanId);
  expect(job.service).toBe('replenish-submission-worker');
  const claim = await found('the claim', inTrace('apply submit'));
  expect(claim.parentSpanId).toBe(job.spanId);
  const call = await found('the call', inTrace('submit sandbox'));
  expect(call.parentSpanId).toBe(job.spanId);
  expect(attributeOf(call, 'replenish.outcome')).toBe('accepted');

  const settled = await found(
    'the settlement',
    (span) => span.name === 'apply settled' && attributeOf(span, 'replenish.transaction_id') === id,
  );
  const event = await parentOf(settled);
  expect(event.name).toBe('process webhooks');
  expect(traceOf(event)).toEqual([producer.traceId]);
  const kept = await parentOf(event);
  expect(kept.name).toBe('send webhooks');
  expect((await parentOf(kept)).name).toBe('POST /webhooks/{provider}');

  const told = await found(
    'the callback',
    (span) => span.name === 'POST callback' && traceOf(span).includes(producer.traceId),
  );
  expect(attributeOf(told, 'http.response.status_code')).toBe(200);
  const heard = () => collector.callbacks.some(({ traceparent: sent }) => sent?.includes(told.spanId));
  await until(heard, LIMIT, 'a callback that carries its span');
  const line = fleet
    .logs('submission-worker')
    .split('\n')
    .find((one) => one.includes(id));
  expect(JSON.parse(line!)).toMatchObject({ trace_id: producer.traceId, span_id: expect.any(String) });
});

test('a query without a webhook begins a trace of its own, which links to that of the request', async () => {
  const id = await succeeded('ok_no_webhook');
  const request = await found(
    'the request',
    (span) => span.name === 'POST /v1/recharges' && attributeOf(span, 'replenish.transaction_id') === id,
  );
  const settled = await found(
    'the settlement',
    (span) => span.name === 'apply settled' && attributeOf(span, 'replenish.transaction_id') === id,
  );
  const query = await parentOf(settled);
  expect(query.name).toBe('process reconciliation-sandbox');
  expect(query.parentSpanId ?? '').toBe('');
  expect(traceOf(query)).toEqual([request.traceId]);
});
