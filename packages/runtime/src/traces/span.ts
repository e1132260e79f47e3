import {
  type Attributes,
  context,
  isSpanContextValid,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';

/** What a span is about. Names and attributes follow the semantic conventions of OpenTelemetry. */
export type SpanWish = Readonly<{
  name: string;
  kind: 'server' | 'client' | 'producer' | 'consumer' | 'internal';
  attributes?: Attributes;
  /** The W3C traceparent of the span that this one continues. Not given: the active span. */
  parent?: string | null | undefined;
  /** W3C traceparents of spans in other traces that this one belongs to. */
  links?: readonly (string | null | undefined)[];
}>;

/** The attributes of the span that learns them while its work runs. */
export type SpanNotes = (attributes: Attributes) => void;

let tracer: Tracer | null = null;

/** @param given null: traces are off */
export function useTracer(given: Tracer | null): void {
  tracer = given;
}

/** Whether this process records traces. Work that only serves a trace is skipped otherwise. */
export const isTracing = (): boolean => tracer !== null;

/**
 * Runs work within a span of its own. Spans that begin in the work are its children. Without traces the work runs alone,
 * and the wish is not even made.
 */
export async function inSpan<T>(wish: () => SpanWish, work: (note: SpanNotes) => Promise<T>): Promise<T> {
  if (!tracer) return work(ignore);
  const { span, within } = begin(tracer, wish());
  try {
    return await context.with(within, () => work((attributes) => void span.setAttributes(attributes)));
  } catch (error) {
    fail(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** A span whose end another piece of code knows. `run` makes it the active one for the work. */
export type OpenSpan = Readonly<{
  run: <T>(work: () => T) => T;
  rename: (name: string) => void;
  note: SpanNotes;
  end: (isFailed: boolean) => void;
}>;

/** Begins a span. Null without traces. */
export function openSpan(wish: () => SpanWish): OpenSpan | null {
  if (!tracer) return null;
  const { span, within } = begin(tracer, wish());
  return {
    run: (work) => context.with(within, work),
    rename: (name) => void span.updateName(name),
    note: (attributes) => void span.setAttributes(attributes),
    end: (isFailed) => {
      if (isFailed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function begin(by: Tracer, { name, kind, attributes, parent, links = [] }: SpanWish) {
  const remote = spanContextOf(parent);
  const within = remote ? trace.setSpanContext(context.active(), remote) : context.active();
  const linked = links.map(spanContextOf).filter((one) => one !== null);
  const own = remote ?? trace.getSpanContext(within);
  const options = {
    kind: kinds[kind],
    ...(attributes && { attributes }),
    links: linked.filter((one) => one.traceId !== own?.traceId).map((one) => ({ context: one })),
  };
  const span = by.startSpan(name, options, within);
  return { span, within: trace.setSpan(within, span) };
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

/** The kind of an error is enough: its message may quote private data, and the log has it. */
function fail(span: Span, error: unknown): void {
  span.setAttribute('error.type', error instanceof Error ? error.name : 'not an Error');
  span.setStatus({ code: SpanStatusCode.ERROR });
}

const ignore: SpanNotes = () => {};

/** Adds a link to the active span, unless it is in the linked trace anyway. */
export function linkActiveSpan(traceparent: string | null): void {
  const linked = spanContextOf(traceparent);
  const span = trace.getActiveSpan();
  if (linked && span && span.spanContext().traceId !== linked.traceId) span.addLink({ context: linked });
}

/** The active span in the form of the W3C header. Null: no span is active. */
export function activeTraceparent(): string | null {
  if (!tracer) return null;
  const active = trace.getSpanContext(context.active());
  if (!active || !isSpanContextValid(active)) return null;
  return `00-${active.traceId}-${active.spanId}-${active.traceFlags.toString(16).padStart(2, '0')}`;
}

/** The headers with which a request to another system continues the active trace. None without traces. */
export function traceHeaders(): Record<string, string> {
  const traceparent = activeTraceparent();
  return traceparent === null ? {} : { traceparent };
}

/** Fields for log lines, by the names of OpenTelemetry. */
export function traceFields(): Record<string, string> {
  const active = tracer ? trace.getSpanContext(context.active()) : undefined;
  return active ? { trace_id: active.traceId, span_id: active.spanId } : {};
}

// W3C Trace Context, version 00. A later version begins with the same fields.
const FORM = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-|$)/;

function spanContextOf(traceparent: string | null | undefined): SpanContext | null {
  const [, traceId, spanId, flags] = FORM.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const given = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(given) ? given : null;
}
