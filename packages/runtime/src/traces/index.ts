export {
  activeTraceparent,
  inSpan,
  isTracing,
  linkActiveSpan,
  type OpenSpan,
  openSpan,
  type SpanNotes,
  type SpanWish,
  traceFields,
  traceHeaders,
} from './span.js';
