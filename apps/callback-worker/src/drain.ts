import { eventBody, linkToRequest, type OwnSources } from '@replenish/assembly';
import { afterPost, type CallbackPost, type Domain } from '@replenish/domain';
import { crashPoint, type Logger } from '@replenish/runtime';
import { inSpan, type SpanNotes, traceHeaders } from '@replenish/runtime/traces';
import { stringify } from 'lossless-json';
import type { CallbackCounter } from './metrics.js';
import type { Poster } from './post.js';
import { signatureHeaders } from './signature.js';

export type DrainDeps = Readonly<{
  callbacks: Pick<Domain['callbacks'], 'take' | 'file' | 'putBack' | 'release'>;
  reads: Pick<Domain['reads'], 'traceparent'>;
  post: Poster;
  schedule: readonly number[];
  timeoutMs: number;
  providers: OwnSources;
  isRefunding: (provider: string, providerAccount: string) => boolean;
  /** Aborted when the process is told to stop. */
  stopping: AbortSignal;
  random: () => number;
  counter: CallbackCounter;
  log: Logger;
}>;

// The posts to one receiver at the same time. After a failure there is one at a time, to spare a receiver in trouble.
const AT_ONCE = 8;
// A receiver with very many events is left after this time, so that the others have a turn.
const SLICE_MS = 10_000;
// The time for the claim and for filing the result.
const LEASE_MARGIN_MS = 3_000;
// When the process stops, posts that are under way have this long to end. A post that has not ended is sent again
// later.
const STOP_WITHIN_MS = 2_000;

/**
 * Returns a function that posts the due events of a receiver until none is due. In a process, one call at a time works
 * on a receiver.
 */
export function drainer(deps: DrainDeps): (lane: string) => Promise<undefined> {
  // The lanes in work. The value is true if another job for the lane has come meanwhile.
  const busy = new Map<string, boolean>();
  // All receivers share this signal. Each call of `endSignal` adds a listener that stays until the process stops.
  const end = endSignal(deps.stopping);
  return async (lane) => {
    if (busy.has(lane)) {
      // The other job may be about an event that came after the last claim.
      busy.set(lane, true);
      return;
    }
    try {
      do {
        busy.set(lane, false);
        await drain(deps, lane, end);
      } while (busy.get(lane) && !deps.stopping.aborted);
    } finally {
      busy.delete(lane);
    }
    return;
  };
}

async function drain(deps: DrainDeps, lane: string, end: AbortSignal): Promise<void> {
  const { callbacks, stopping, timeoutMs, isRefunding } = deps;
  const untilMs = performance.now() + SLICE_MS;
  const claim = { leaseMs: timeoutMs + LEASE_MARGIN_MS, isRefunding };
  let max = AT_ONCE;
  while (!stopping.aborted && performance.now() < untilMs) {
    const posts = await callbacks.take(lane, { ...claim, max });
    crashPoint('callback.after-claim');
    const arrived = await Promise.all(posts.map((post) => tracedDelivery(deps, post, end)));
    max = arrived.every(Boolean) ? AT_ONCE : 1;
    // Nearly always nothing more is due. Then the lane is released here, in one statement, instead of by a claim that
    // finds nothing.
    if (!(await callbacks.release(lane)) || posts.length === 0) return;
  }
  await callbacks.release(lane);
}

function endSignal(stopping: AbortSignal): AbortSignal {
  const end = new AbortController();
  stopping.addEventListener('abort', () => setTimeout(() => end.abort(), STOP_WITHIN_MS).unref(), {
    once: true,
  });
  return end.signal;
}

/**
 * The span of a post, with a link to the recharge that the event is about. It is no part of that trace, because a job
 * posts the events of many recharges.
 */
const tracedDelivery = (deps: DrainDeps, post: CallbackPost, end: AbortSignal): Promise<boolean> =>
  inSpan(
    () => ({
      name: 'POST callback',
      kind: 'client',
      attributes: {
        'http.request.method': 'POST',
        'replenish.event_type': post.content.type,
        'replenish.delivery_id': post.id,
      },
    }),
    async (note) => {
      const { content } = post;
      await linkToRequest(deps.reads, content.about === 'recharge' ? content.recharge.id : null);
      return deliver(deps, post, end, note);
    },
  );

/** Returns whether the event arrived. */
async function deliver(
  deps: DrainDeps,
  post: CallbackPost,
  end: AbortSignal,
  note: SpanNotes,
): Promise<boolean> {
  const { callbacks, counter, log, schedule, random } = deps;
  const { id, eventId, url, tries, content, secrets } = post;
  const body = stringify(eventBody(content, deps.providers)) ?? '';
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Replenish-Callbacks/1',
    ...traceHeaders(),
    ...signatureHeaders({ id: eventId, at: new Date(), body, secrets }),
  };
  const outcome = await deps.post({ url, headers, body }, end);
  if (outcome === 'stopped') {
    await callbacks.putBack(post);
    return false;
  }
  crashPoint('callback.after-post');
  const after = afterPost(outcome, tries, { schedule, random });
  const { disabledBecause } = await callbacks.file(post, outcome, after);
  counter.inc({ result: after.status });
  const { httpStatus, error, durationMs } = outcome;
  note({ 'replenish.result': after.status, ...(httpStatus && { 'http.response.status_code': httpStatus }) });
  const told = { deliveryId: id, eventId, endpointId: post.endpointId, httpStatus, error, durationMs };
  log.info({ ...told, result: after.status }, 'callback posted');
  if (disabledBecause)
    log.warn({ ...told, clientId: post.clientId, disabledBecause }, 'a callback endpoint was disabled');
  return error === null;
}
