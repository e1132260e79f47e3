import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Attributes,
  isSpanContextValid,
  ROOT_CONTEXT,
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
  /**
   * The span that this one continues, or the W3C traceparent of a span of another process. Null: this one begins a trace.
   * Not given: the active span.
   */
  parent?: OpenSpan | string | null | undefined;
}>;

/** A span that has begun and not ended. */
export interface OpenSpan {
  /** Whether the span is sent. The sampler decides it when the span begins. */
  readonly isRecorded: boolean;
  /** The span in the form of the W3C header. */
  readonly traceparent: string;
  /** Fields for log lines, by the names of OpenTelemetry. */
  readonly fields: Readonly<Record<string, string>>;
  rename(name: string): void;
  note(attributes: Attributes): void;
  /** Adds a link to the span of this W3C traceparent, unless it is in the same trace anyway. */
  link(traceparent: string | null): void;
  end(isFailed: boolean): void;
  /** Makes the span the active one while the work runs. `withSpan` says what that costs. */
  run<T>(work: () => T): T;
}

/** The attributes of the span that learns them while its work runs. */
export type SpanNotes = (attributes: Attributes) => void;

let tracer: Tracer | null = null;

const active = new AsyncLocalStorage<OpenSpan>();

/** @param given null: traces are off */
export function useTracer(given: Tracer | null): void {
  tracer = given;
}

/** Whether this process records traces. Work that only serves a trace is skipped otherwise. */
export const isTracing = (): boolean => tracer !== null;

/** Null: no span is active, or traces are off. */
export const activeSpan = (): OpenSpan | null => (tracer && active.getStore()) ?? null;

/** Begins a span, which the caller ends. Null without traces, and the wish is not even made. */
export const openSpan = (wish: () => SpanWish): OpenSpan | null => tracer && begin(tracer, wish());

/**
 * Runs work that has a span, and gives it the span. The span is not the active one. That matters where requests are many:
 * from the first active span on, Node 20 runs a hook for every promise of the process.
 */
export function withSpan<T>(wish: () => SpanWish, work: (span: OpenSpan | null) => Promise<T>): Promise<T> {
  const span = openSpan(wish);
  return span ? ended(span, work) : work(null);
}

async function ended<T>(span: OpenSpan, work: (span: OpenSpan) => Promise<T>): Promise<T> {
  let isFailed = true;
  try {
    const result = await work(span);
    isFailed = false;
    return result;
  } catch (error) {
    // The kind of an error is enough: its message may quote private data, and the log has it.
    span.note({ 'error.type': error instanceof Error ? error.name : 'not an Error' });
    throw error;
  } finally {
    span.end(isFailed);
  }
}

/** Runs work within an active span of its own. Spans that begin in the work are its children. */
export const inSpan = <T>(wish: () => SpanWish, work: (note: SpanNotes) => Promise<T>): Promise<T> =>
  tracer
    ? withSpan(wish, (span) => span!.run(() => work((attributes) => span!.note(attributes))))
    : work(ignore);

const ignore: SpanNotes = () => {};

function begin(by: Tracer, { name, kind, attributes, parent = activeSpan() }: SpanWish): OpenSpan {
  const span = by.startSpan(name, { kind: kinds[kind] }, contextOf(parent));
  // A span that is not recorded keeps no attributes, so the SDK need not check them.
  if (attributes && span.isRecording()) span.setAttributes(attributes);
  return new BegunSpan(span);
}

function contextOf(parent: OpenSpan | string | null) {
  if (parent instanceof BegunSpan) return trace.setSpan(ROOT_CONTEXT, parent.span);
  const remote = typeof parent === 'string' ? spanContextOf(parent) : null;
  return remote ? trace.setSpanContext(ROOT_CONTEXT, remote) : ROOT_CONTEXT;
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
} as const;

class BegunSpan implements OpenSpan {
  readonly isRecorded: boolean;
  readonly traceparent: string;

  constructor(readonly span: Span) {
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.isRecorded = span.isRecording();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags === TraceFlags.SAMPLED ? '01' : '00'}`;
  }

  get fields() {
    const { traceId, spanId } = this.span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  rename(name: string): void {
    this.span.updateName(name);
  }

  note(attributes: Attributes): void {
    this.span.setAttributes(attributes);
  }

  link(traceparent: string | null): void {
    const linked = traceparent === null ? null : spanContextOf(traceparent);
    if (linked && linked.traceId !== this.span.spanContext().traceId) this.span.addLink({ context: linked });
  }

  end(isFailed: boolean): void {
    if (isFailed) this.span.setStatus({ code: SpanStatusCode.ERROR });
    this.span.end();
  }

  run<T>(work: () => T): T {
    return active.run(this, work);
  }
}

/** The headers with which a request to another system continues the active trace. None without an active span. */
export function traceHeaders(): Record<string, string> {
  const span = activeSpan();
  return span ? { traceparent: span.traceparent } : {};
}

/** Fields of the active span for log lines, by the names of OpenTelemetry. */
export const traceFields = (): Readonly<Record<string, string>> => activeSpan()?.fields ?? {};

// W3C Trace Context, version 00. A later version begins with the same fields.
const FORM = /^(?!ff)[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-|$)/;

function spanContextOf(traceparent: string): SpanContext | null {
  const [, traceId, spanId, flags] = FORM.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return null;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const given = { traceId, spanId, traceFlags, isRemote: true };
  return isSpanContextValid(given) ? given : null;
}
