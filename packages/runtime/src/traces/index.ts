export {
  activeSpan,
  inSpan,
  isTracing,
  type OpenSpan,
  openSpan,
  type SpanNotes,
  type SpanWish,
  traceFields,
  traceHeaders,
  withSpan,
} from './span.js';
