import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  ParentBasedSampler,
  SimpleSpanProcessor,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import {
  activeSpan,
  inSpan,
  openSpan,
  type SpanWish,
  traceFields,
  traceHeaders,
  useTracer,
  withSpan,
} from '../../src/traces/span.js';

const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const traceparentOf = (flags: string) => `00-${caller.traceId}-${caller.spanId}-${flags}`;

let sent: InMemorySpanExporter;
beforeEach(() => trace(1));
afterEach(() => useTracer(null));

function trace(ratio: number): void {
  sent = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [new SimpleSpanProcessor(sent)],
  });
  useTracer(provider.getTracer('test'));
}

const wish =
  (name: string, more: Partial<SpanWish> = {}) =>
  (): SpanWish => ({
    name,
    kind: 'internal',
    ...more,
  });
const found = (name: string) => sent.getFinishedSpans().find((span) => span.name === name)!;

test('spans that begin in the work of an active span are its children, across awaits', async () => {
  await inSpan(wish('outer', { kind: 'consumer', parent: traceparentOf('01') }), async (note) => {
    await null;
    note({ told: 'late' });
    await inSpan(wish('inner', { attributes: { given: 'early' } }), async () => {
      await null;
      expect(traceHeaders()).toEqual({ traceparent: activeSpan()!.traceparent });
      expect(traceFields()).toMatchObject({ trace_id: caller.traceId });
    });
  });
  const [outer, inner] = [found('outer'), found('inner')];
  expect(outer.parentSpanContext).toMatchObject({ ...caller, isRemote: true });
  expect(outer).toMatchObject({ kind: SpanKind.CONSUMER, attributes: { told: 'late' } });
  expect(inner.parentSpanContext?.spanId).toBe(outer.spanContext().spanId);
  expect(inner.attributes).toEqual({ given: 'early' });
  expect([activeSpan(), traceHeaders(), traceFields()]).toEqual([null, {}, {}]);
});

test('a span that is given to its work is not active there, and continues the span that is named', async () => {
  const request = openSpan(wish('request', { kind: 'server', parent: null }))!;
  const traceparent = await withSpan(wish('hint', { parent: request }), async (span) => {
    expect(activeSpan()).toBeNull();
    return span?.traceparent;
  });
  request.rename('renamed');
  request.end(false);
  const hint = found('hint').spanContext();
  expect(traceparent).toBe(`00-${hint.traceId}-${hint.spanId}-01`);
  expect(found('hint').parentSpanContext).toMatchObject({ spanId: found('renamed').spanContext().spanId });
  expect(found('hint').parentSpanContext?.isRemote).toBeUndefined();
  expect(request.fields).toEqual({
    trace_id: hint.traceId,
    span_id: found('renamed').spanContext().spanId,
  });
});

test('null begins a trace, even while a span is active', async () => {
  await inSpan(wish('outer'), async () => openSpan(wish('own', { parent: null }))!.end(false));
  expect(found('own').parentSpanContext).toBeUndefined();
  expect(found('own').spanContext().traceId).not.toBe(found('outer').spanContext().traceId);
});

test.each([
  ['a version that does not exist', `ff-${caller.traceId}-${caller.spanId}-01`],
  ['no trace', `00-${'0'.repeat(32)}-${caller.spanId}-01`],
  ['no span', `00-${caller.traceId}-${'0'.repeat(16)}-01`],
  ['another text', 'traceparent'],
])('a traceparent of %s begins a trace', (_what, parent) => {
  openSpan(wish('one', { parent }))!.end(false);
  expect(found('one').parentSpanContext).toBeUndefined();
});

test('what the caller does not record is not sent, and neither is what continues it', async () => {
  const request = openSpan(wish('request', { parent: traceparentOf('00'), attributes: { a: 1 } }))!;
  expect(request.isRecorded).toBe(false);
  expect(request.traceparent).toMatch(new RegExp(`^00-${caller.traceId}-[\\da-f]{16}-00$`));
  expect(request.traceparent).not.toContain(caller.spanId);
  const hint = await withSpan(wish('hint', { parent: request }), async (span) => span!.traceparent);
  openSpan(wish('job', { parent: hint }))!.end(false);
  request.end(false);
  expect(sent.getFinishedSpans()).toEqual([]);
});

test('the sampler decides about a new trace, and a caller that records decides for its own', () => {
  trace(0);
  openSpan(wish('new', { parent: null }))!.end(false);
  const continued = openSpan(wish('continued', { parent: traceparentOf('01') }))!;
  continued.end(false);
  expect(continued.isRecorded).toBe(true);
  expect(sent.getFinishedSpans().map(({ name }) => name)).toEqual(['continued']);
});

test('work that fails leaves the kind of its error on the span, not the message', async () => {
  const failing = withSpan(wish('failing'), () => Promise.reject(new RangeError('acct-1001')));
  await expect(failing).rejects.toThrow('acct-1001');
  expect(found('failing').attributes).toEqual({ 'error.type': 'RangeError' });
  expect(found('failing').status).toEqual({ code: SpanStatusCode.ERROR });
});

test('a link leads to another trace only', () => {
  const span = openSpan(wish('one', { parent: null }))!;
  for (const traceparent of [traceparentOf('01'), span.traceparent, 'no traceparent', null])
    span.link(traceparent);
  span.end(false);
  expect(found('one').links.map(({ context }) => context)).toEqual([expect.objectContaining(caller)]);
});

test('without traces the work runs alone, and no wish is made', async () => {
  useTracer(null);
  const unwanted = (): SpanWish => {
    throw new Error('the wish is made');
  };
  expect(openSpan(unwanted)).toBeNull();
  expect(await withSpan(unwanted, async (span) => span)).toBeNull();
  expect(await inSpan(unwanted, async (note) => note({ a: 1 }))).toBeUndefined();
});

const program = join(import.meta.dirname, 'promises.mjs');

test('spans that are not active, and sending them, start no hook for the promises of the process', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program]);
  expect(JSON.parse(stdout)).toEqual({ spans: 2, isHooked: false });
});
