import type { QueueName } from '@replenish/queues';
import { type OpenSpan, openSpan } from '@replenish/runtime/traces';
import type { Request, Response } from 'express';
import { answeredStatus, atEnd, type CallEnd, callOf, type Observer } from './call.js';
import { redacted } from './redaction.js';

/**
 * The hints of a call. They name its span, because no span is the active one in the ingress: see `withSpan`. A queue that
 * gets no span takes the active one, so this type does not let a handler forget it.
 */
export type CallHints = Readonly<{
  hint: (queue: QueueName, ids: readonly string[], from: OpenSpan | null) => Promise<boolean>;
}>;

/**
 * Opens the span of a call. It continues the trace of the caller, if the caller sends a W3C `traceparent`, and ends with
 * the call.
 */
export const openCallSpan: Observer = (request, response) => {
  const { method, headers } = request;
  const parent = (headers.traceparent as string | undefined) ?? null;
  const span = openSpan(() => ({ name: method, kind: 'server', parent }));
  if (!span) return;
  const call = callOf(response);
  call.span = span;
  call.trace = span.fields;
  atEnd(response, endSpan);
};

const endSpan: CallEnd = (request, response, { span, correlationId, transactionId }) => {
  if (!span) return;
  const status = answeredStatus(response);
  if (span.isRecorded) {
    const { method } = request;
    const route = routeOf(request);
    if (route !== undefined) span.rename(`${method} ${route}`);
    span.note({
      'http.request.method': method,
      ...(route !== undefined && { 'http.route': route }),
      'url.path': redacted(request.originalUrl.split('?')[0]!),
      'http.response.status_code': status,
      'replenish.correlation_id': correlationId,
      ...(transactionId !== undefined && { 'replenish.transaction_id': transactionId }),
    });
  }
  span.end(status >= 500);
};

/** The path of the route, with the names of its parameters. The path itself would make a name per recharge. */
const routeOf = (request: Request): string | undefined =>
  (request.route as { path?: string } | undefined)?.path?.replace(/:(\w+)/g, '{$1}');

/**
 * Runs work that asks a provider, with the span of the call as the active one. What that costs is in `withSpan`, so it is
 * for routes that are seldom called.
 */
export function withinSpan<T>(response: Response, work: () => T): T {
  const { span } = callOf(response);
  return span ? span.run(work) : work();
}
