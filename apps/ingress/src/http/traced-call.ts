import { type OpenSpan, openSpan, traceFields } from '@replenish/runtime/traces';
import type { Request, RequestHandler } from 'express';
import { answeredStatus, atEnd, callOf, type Observer } from './call.js';
import { redacted } from './redaction.js';

/**
 * Opens the span of a call. It continues the trace of the caller, if the caller sends a W3C `traceparent`, and ends with
 * the call. Null spans cost nothing: without traces no span is opened.
 */
export const openCallSpan: Observer = (request, response) => {
  const span = openSpan(() => ({
    name: request.method,
    kind: 'server',
    parent: request.headers.traceparent as string | undefined,
    attributes: {
      'http.request.method': request.method,
      'url.path': redacted(request.originalUrl.split('?')[0]!),
      'replenish.correlation_id': callOf(response).correlationId,
    },
  }));
  if (!span) return;
  const call = callOf(response);
  call.span = span;
  call.trace = span.run(traceFields);
  atEnd(response, () => {
    const status = answeredStatus(response);
    nameByRoute(span, request);
    span.note({
      'http.response.status_code': status,
      ...(call.transactionId !== undefined && { 'replenish.transaction_id': call.transactionId }),
    });
    span.end(status >= 500);
  });
};

/** The path of the route, with the names of its parameters. The path itself would make a name per recharge. */
function nameByRoute(span: OpenSpan, request: Request): void {
  const route = (request.route as { path?: string } | undefined)?.path?.replace(/:(\w+)/g, '{$1}');
  if (route === undefined) return;
  span.rename(`${request.method} ${route}`);
  span.note({ 'http.route': route });
}

/** Runs a handler within the span of its call. Without this, the events of an arriving body lose the span. */
export const withinSpan =
  (handler: RequestHandler): RequestHandler =>
  (request, response, next) => {
    const { span } = callOf(response);
    return span ? span.run(() => handler(request, response, next)) : handler(request, response, next);
  };
