import { linkToRequest, type ProviderMetrics } from '@replenish/assembly';
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
  domain: Pick<Domain, 'applyNews' | 'inbox' | 'reads'>;
  providers: Pick<Providers, 'accounts' | 'raw'>;
  log: Logger;
  events: EventCounter;
  metrics: Pick<ProviderMetrics, 'onReported'>;
  /** How long an event may wait for its recharge to be committed before a case is opened. */
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

/**
 * Returns a function that reports a stored event as news. Running it twice is safe: the event is marked as processed in
 * the same statement that applies it.
 */
export function processor(deps: ProcessorDeps): (id: string) => Promise<undefined> {
  return async (id) => {
    const stored = await deps.domain.inbox.read(id);
    if (!stored || stored.processed) return;
    await processed(deps, stored).catch((error: unknown) => giveUp(deps, stored, error));
    return;
  };
}

async function processed(deps: ProcessorDeps, stored: StoredEvent): Promise<void> {
  const provider = providerOf(deps, stored);
  // The ingress that stored the event knew this account, so a newer release is being deployed. Its worker may read the
  // event.
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

/** An event without an account is of a time when each provider had one. */
function providerOf({ providers }: Pick<ProcessorDeps, 'providers'>, stored: StoredEvent) {
  const account = stored.providerAccount ?? providers.accounts(stored.provider)[0];
  return account === undefined ? undefined : providers.raw(stored.provider, account);
}

async function applyEvent(deps: ProcessorDeps, stored: StoredEvent, event: OrderEvent): Promise<void> {
  const { reference, providerOrderId } = event;
  const named = { provider: stored.provider, reference, providerOrderId };
  const transactionId = await deps.domain.inbox.match(named);
  if (!transactionId) return leaveUnmatched(deps, stored, event);
  await linkToRequest(deps.domain.reads, transactionId);
  crashPoint('webhook.before-apply');
  const { verdict } = await apply(deps, stored, event, transactionId);
  crashPoint('webhook.after-apply');
  if (verdict === 'unknown_transaction') await leaveUnmatched(deps, stored, event);
}

/**
 * Handles an event that cannot be processed. It stays due and is tried again without end. A case is opened, so that a
 * person looks at it.
 */
async function giveUp(deps: ProcessorDeps, stored: StoredEvent, error: unknown): Promise<never> {
  if (!(error instanceof StoreUnavailable) && !mayWait(deps, stored)) {
    const transactionId = await transactionOf(deps, stored).catch(() => null);
    await deps.domain.inbox.noteUnprocessable(stored, { error: String(error) }, transactionId);
  }
  throw error;
}

async function transactionOf({ domain, providers }: ProcessorDeps, stored: StoredEvent) {
  const event = providerOf({ providers }, stored)?.webhooks?.read(stored.rawBody);
  if (!event || event.kind === 'ignored') return null;
  return domain.inbox.match({ ...event, provider: stored.provider });
}

/**
 * Whether the event is young enough to wait for the next sweep. It may have arrived before its recharge was committed
 * or claimed.
 */
const mayWait = (deps: ProcessorDeps, stored: StoredEvent): boolean => stored.ageMs < deps.unmatchedAfterMs;

async function apply(
  deps: ProcessorDeps,
  stored: StoredEvent,
  event: OrderEvent,
  transactionId: string,
): Promise<ReportResult> {
  const report = {
    transactionId,
    provider: stored.provider,
    mayWait: mayWait(deps, stored),
    source: 'webhook' as const,
    // A declined payment that the payer may repeat ends only when the provider says so, so the provider is asked at
    // once.
    isUrgent: event.status === 'pending' && event.code !== undefined,
    reason: `${stored.provider} event ${stored.eventId}: ${event.status}`,
    eventId: stored.id,
  };
  const ofAccount = stored.providerAccount === null ? {} : { providerAccount: stored.providerAccount };
  const result = await deps.domain.applyNews(
    Object.assign(report, newsOfOrder(event, event.status), ofAccount),
  );
  const { verdict, state } = result;
  deps.events.inc({ provider: stored.provider, verdict });
  deps.log.info(
    { transactionId, correlationId: stored.correlationId, eventId: stored.eventId, verdict, state },
    'event processed',
  );
  deps.metrics.onReported(stored.provider, result, new Date());
  return result;
}

/** Opens a case for an event whose order is not ours. A person has to look at it. */
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

// The time for which an unreadable event is tried again. A deployment that stops on a Friday may continue on Monday.
// The new release may be able to read the event.
const UNREAD_FOR_MS = 72 * 3_600_000;
const ofUnknownProvider: UnreadEvent = { kind: 'unread', type: null, reference: null, providerOrderId: null };

/**
 * Handles an event that this release cannot read, which may be about money. It is attached to the recharge that it
 * names, a case is opened, and it stays due. When a newer release reads it, the case is closed.
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
