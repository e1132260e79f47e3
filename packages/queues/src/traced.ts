import { inSpan, type OpenSpan, type SpanWish, withSpan } from '@replenish/runtime/traces';
import type { JobData, QueueName, Traces } from './catalogue.js';

/** One id on its way into a job, and the trace that it comes from. */
export type QueueHint = Readonly<{ id: string; traceparent: string | null }>;

/** Sends hints within a span that continues this one. Hints that come from no span, such as the sweeper's, make none. */
export function sending(
  queue: QueueName,
  { ids, from }: Readonly<{ ids: readonly string[]; from: OpenSpan | null }>,
  send: (hints: QueueHint[]) => Promise<void>,
): Promise<void> {
  if (from === null) return send(ids.map((id) => ({ id, traceparent: null })));
  const wish = (): SpanWish => ({
    name: `send ${queue}`,
    kind: 'producer',
    parent: from,
    attributes: { ...attributesOf(queue, 'send'), 'messaging.batch.message_count': ids.length },
  });
  return withSpan(wish, (span) => {
    const traceparent = span?.traceparent ?? null;
    return send(ids.map((id) => ({ id, traceparent })));
  });
}

export function jobDataOf(hints: readonly QueueHint[]): JobData {
  const ids = hints.map(({ id }) => id);
  const isTraced = hints.some(({ traceparent }) => traceparent !== null);
  return isTraced ? { ids, traces: hints.map(({ traceparent }) => traceparent) } : { ids };
}

/** What is left of a job: these of its ids, each with its trace. */
export function restOf({ ids, traces }: JobData, isLeft: (at: number) => boolean): JobData {
  const left = <T>(all: readonly T[]): T[] => all.filter((_, at) => isLeft(at));
  return { ids: left(ids), ...(traces && { traces: left<Traces[number]>(traces) }) };
}

/** Does the work of one id within a span that continues the trace of its hint, or begins one. */
export const working = <T>(
  queue: QueueName,
  { id, traceparent }: QueueHint,
  work: () => Promise<T>,
): Promise<T> =>
  inSpan(
    () => ({
      name: `process ${queue}`,
      kind: 'consumer',
      parent: traceparent,
      attributes: { ...attributesOf(queue, 'process'), 'replenish.id': id },
    }),
    work,
  );

// The attributes follow the semantic conventions for messaging, which allow any value of `messaging.system`.
const attributesOf = (queue: QueueName, operation: 'send' | 'process') => ({
  'messaging.system': 'bullmq',
  'messaging.destination.name': queue,
  'messaging.operation.name': operation,
  'messaging.operation.type': operation,
});
