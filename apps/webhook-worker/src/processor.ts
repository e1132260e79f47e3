import type { ProviderMetrics } from '@replenish/assembly';
import {
  type Domain,
  newsOfOrder,
  type ReportResult,
  type StoredEvent,
  StoreUnavailable,
} from '@replenish/domain';
import type { OrderEvent, Providers, UnreadEvent } from '@replenish/providers';
import { Counter, crashPoint, type Frame, type Logger } from '@replenish/runtime';

export type ProcessorDeps = Readonly<{
  domain: Pick<Domain, 'applyNews' | 'inbox'>;
  providers: Pick<Providers, 'raw'>;
  log: Logger;
  events: EventCounter;
  metrics: Pick<ProviderMetrics, 'onReported'>;
  /** How long an event may wait for its transaction to appear before a case is opened. */
  unmatchedAfterMs: number;
}>;

export type EventCounter = Counter<'provider' | 'verdict'>;

export const openEventCounter = (registry: Frame['registry']): EventCounter =>
  new Counter({
    name: 'replenish_webhooks_processed_total',
    help: 'Stored provider events by verdict.',
    labelNames: ['provider', 'verdict'],
    registers: [registry],
  });

/** Turns a stored event into news. Repeating it is harmless: an event is filed as processed with what it did. */
export function processor(deps: ProcessorDeps): (id: string) => Promise<undefined> {
  return async (id) => {
    const stored = await deps.domain.inbox.read(id);
    if (!stored || stored.processed) return;
    await processed(deps, stored).catch((error: unknown) => giveUp(deps, stored, error));
    return;
  };
}

async function processed(deps: ProcessorDeps, stored: StoredEvent): Promise<void> {
  const provider = deps.providers.raw(stored.provider);
  // The ingress that stored the event knew its provider, so a newer release is being deployed: its worker may read it.
  if (!provider && mayWait(deps, stored)) return;
  const event = provider?.webhooks?.read(stored.rawBody) ?? ofUnknownProvider;
  switch (event.kind) {
    case 'order':
      return applyEvent(deps, stored, event);
    case 'ignored':
      await deps.domain.inbox.fileIgnored(stored);
      deps.events.inc({ provider: stored.provider, verdict: 'ignored' });
      return;
    case 'unread':
      return leaveUnread(deps, stored, event);
  }
}

async function applyEvent(deps: ProcessorDeps, stored: StoredEvent, event: OrderEvent): Promise<void> {
  const transactionId = await deps.domain.inbox.match({ ...event, provider: stored.provider });
  if (!transactionId) return leaveUnmatched(deps, stored, event);
  crashPoint('webhook.before-apply');
  const { verdict } = await apply(deps, stored, event, transactionId);
  crashPoint('webhook.after-apply');
  if (verdict === 'unknown_transaction') await leaveUnmatched(deps, stored, event);
}

/** An event that cannot be processed is tried again for ever, and its case tells a person. */
async function giveUp(deps: ProcessorDeps, stored: StoredEvent, error: unknown): Promise<never> {
  if (!(error instanceof StoreUnavailable) && !mayWait(deps, stored)) {
    const transactionId = await transactionOf(deps, stored).catch(() => null);
    await deps.domain.inbox.noteUnprocessable(stored, { error: String(error) }, transactionId);
  }
  throw error;
}

async function transactionOf({ domain, providers }: ProcessorDeps, stored: StoredEvent) {
  const event = providers.raw(stored.provider)?.webhooks?.read(stored.rawBody);
  if (!event || event.kind === 'ignored') return null;
  return domain.inbox.match({ ...event, provider: stored.provider });
}

/** A young event is left to the sweeper: it may arrive before its recharge is committed or claimed. */
const mayWait = (deps: ProcessorDeps, stored: StoredEvent): boolean => stored.ageMs < deps.unmatchedAfterMs;

async function apply(
  deps: ProcessorDeps,
  stored: StoredEvent,
  event: OrderEvent,
  transactionId: string,
): Promise<ReportResult> {
  const result = await deps.domain.applyNews({
    transactionId,
    provider: stored.provider,
    mayWait: mayWait(deps, stored),
    ...newsOfOrder(event),
    source: 'webhook',
    reason: `${stored.provider} event ${stored.eventId}: ${event.status}`,
    eventId: stored.id,
  });
  const { verdict, state } = result;
  deps.events.inc({ provider: stored.provider, verdict });
  deps.log.info(
    { transactionId, correlationId: stored.correlationId, eventId: stored.eventId, verdict, state },
    'event processed',
  );
  deps.metrics.onReported(stored.provider, result, new Date());
  return result;
}

/** An event whose order is not ours: a person has to look at it. */
async function leaveUnmatched(deps: ProcessorDeps, stored: StoredEvent, event: OrderEvent): Promise<void> {
  if (mayWait(deps, stored)) return;
  const { reference, providerOrderId, status } = event;
  await deps.domain.inbox.fileUnmatched(stored, { reference, providerOrderId, status });
  deps.events.inc({ provider: stored.provider, verdict: 'unmatched' });
  deps.log.warn(
    { provider: stored.provider, eventId: stored.eventId },
    'an event belongs to no recharge of ours',
  );
}

// A deployment that stops on a Friday goes on by Monday: until then a release that can read the event may still come.
const UNREAD_FOR_MS = 72 * 3_600_000;
const ofUnknownProvider: UnreadEvent = { kind: 'unread', type: null, reference: null, providerOrderId: null };

/**
 * An event that this release cannot read may be about money. It is put on the recharge that it names, with a case, and
 * stays due: a newer release reads it as usual, and that closes the case.
 */
async function leaveUnread(deps: ProcessorDeps, stored: StoredEvent, event: UnreadEvent): Promise<void> {
  const { type, reference, providerOrderId } = event;
  const transactionId = await deps.domain.inbox.match({ ...event, provider: stored.provider });
  const isNamed = reference !== null || providerOrderId !== null;
  const isNew = await deps.domain.inbox.noteUnread(stored, {
    transactionId,
    detail: {
      ...{ eventId: stored.eventId, type, reference, providerOrderId },
      body: stored.rawBody.toString('utf8').slice(0, 4_000),
    },
    mayWait: isNamed && mayWait(deps, stored),
    tryForMs: UNREAD_FOR_MS,
  });
  if (!isNew) return;
  deps.events.inc({ provider: stored.provider, verdict: 'unread' });
  deps.log.warn(
    {
      transactionId,
      correlationId: stored.correlationId,
      provider: stored.provider,
      eventId: stored.eventId,
      type,
    },
    'an event cannot be read by this release',
  );
}
