import { rechargeBody, type Status, statusOf, timelineBody, wholeStatusOf } from '@replenish/assembly';
import { type Domain, isFinal, isUuid, type RechargeView, type State, states } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import type { Response } from 'express';
import type { z } from 'zod';
import { coversAccount, likeOf, readClient } from '../auth/account-patterns.js';
import { requireAccount } from '../auth/refusals.js';
import { answer, exactJson, preferredForm } from '../http/answers/answer.js';
import { sendCsv } from '../http/answers/csv.js';
import { Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import { cursorOf, idOf } from '../input/cursor.js';
import { optionalTime } from '../input/fields.js';
import type { Waits } from '../limits/waits.js';
import { dryRun } from './dry-run.js';
import type { ChargeInput, CreateQuery, ListQuery, RechargeInput } from './input.js';
import { createCharge, createRecharge, type IntakeDeps } from './intake.js';
import { untilFinal, waitMsFrom } from './waiting.js';

export type RechargeDeps = IntakeDeps &
  Readonly<{
    domain: Pick<Domain, 'createRecharge' | 'tryRecharge' | 'applyNews' | 'recheck' | 'reads'>;
    providers: Pick<Providers, 'route' | 'accounts' | 'raw'>;
    stopping?: AbortSignal | undefined;
    /** Limits the waiting calls. Undefined: no limit. */
    waits?: Waits | undefined;
  }>;

// The form of the source document answers synchronously. Four seconds is about as long as a person waits for a page.
const CHARGE_WAIT_MS = 4_000;

// A cancel waits for the provider's word. Most providers answer within this time.
const CANCEL_WAIT_MS = 3_000;

export async function create(
  deps: RechargeDeps,
  call: KeyedCall<z.infer<typeof CreateQuery>, z.infer<typeof RechargeInput>>,
): Promise<void> {
  const { request, response } = call;
  // Most requests have no query, and are spared its schema.
  if (request.url.includes('?') && call.query().dryRun === 'true')
    return answer(request, response, 'dryRun', await dryRun(deps, call), { json: exactJson });
  const { replayed, recharge } = await createRecharge(deps, call);
  if (replayed) addHeader(response, 'idempotent-replayed', 'true');
  addHeader(response, 'location', `/v1/recharges/${recharge.id}`);
  answer(request, response, 'recharge', rechargeBody(recharge, deps.providers), {
    status: replayed ? 200 : 202,
  });
}

export async function read(deps: RechargeDeps, call: KeyedCall): Promise<void> {
  const { request, response } = call;
  const recharge = await readRecharge(deps, call);
  const waitMs = waitMsFrom(request.headers.prefer as string);
  const waited = await awaitOutcome(deps, response, recharge, waitMs);
  if (waited) addHeader(response, 'preference-applied', `wait=${waitMs / 1_000}`);
  answer(request, response, 'recharge', rechargeBody(waited ?? recharge, deps.providers));
}

export async function timeline(deps: RechargeDeps, call: KeyedCall): Promise<void> {
  const recharge = await readRecharge(deps, call);
  const parts = await partsOf(deps, recharge);
  const rows = await deps.domain.reads.timeline(recharge.id, parts);
  answer(call.request, call.response, 'timeline', {
    data: rows.map((row) => timelineBody(row, parts.length > 0)),
  });
}

// Each refund has some ten rows. A recharge with more refunds shows the rows of the newest ones.
const REFUNDS_SHOWN_MAX = 50;

/** The transactions whose rows the timeline of a recharge holds too: its delivery and its refunds. */
async function partsOf({ domain }: RechargeDeps, { id, state, delivery }: RechargeView): Promise<string[]> {
  const refunds = state === 'SUCCEEDED' ? await domain.reads.refunds(id) : [];
  return [...(delivery ? [delivery.id] : []), ...refunds.slice(0, REFUNDS_SHOWN_MAX).map((one) => one.id)];
}

/** Waits until the recharge is final or the time is up, and returns it. Returns null when the call does not wait. */
async function awaitOutcome(
  { domain, stopping, waits }: RechargeDeps,
  response: Response,
  recharge: RechargeView,
  waitMs: number,
): Promise<RechargeView | null> {
  if (waitMs === 0) return null;
  const end = waits ? waits.begin(response) : () => {};
  if (!end) return null;
  try {
    return await untilFinal(domain.reads, recharge, waitMs, unwantedSignal(response, stopping));
  } finally {
    end();
  }
}

/** A signal that is aborted when the caller has left or this process is about to stop. */
function unwantedSignal(response: Response, stopping: AbortSignal | undefined): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return stopping ? AbortSignal.any([gone.signal, stopping]) : gone.signal;
}

type InPath = Pick<KeyedCall, 'request' | 'key'>;
type RechargeReads = Readonly<{ domain: Pick<Domain, 'reads'> }>;

/**
 * The recharge in the path, to change it: one of the key's client. A recharge that the key may not see gives the same
 * answer as a missing one.
 */
export const ownRecharge = (deps: RechargeReads, call: InPath): Promise<RechargeView> =>
  rechargeInPath(deps, call, call.key.clientId);

/** The recharge in the path, to read it. */
export const readRecharge = (deps: RechargeReads, call: InPath): Promise<RechargeView> =>
  rechargeInPath(deps, call, readClient(call.key));

async function rechargeInPath(
  { domain }: RechargeReads,
  { request, key }: InPath,
  clientId: string | null,
): Promise<RechargeView> {
  const id = String(request.params.id).toLowerCase();
  const recharge = isUuid(id) ? await domain.reads.recharge(id) : null;
  const isSeen = recharge !== null && (clientId === null || recharge.clientId === clientId);
  if (!isSeen || !coversAccount(key, recharge.accountId)) throw unknownRecharge();
  return recharge;
}

const unknownRecharge = (): Problem =>
  new Problem('NOT_FOUND', 'there is no such recharge', { suspicion: 'unknown_recharge' });

export async function cancel(deps: RechargeDeps, call: KeyedCall): Promise<void> {
  const recharge = await ownRecharge(deps, call);
  call.body();
  const result = await deps.domain.applyNews({
    transactionId: recharge.id,
    news: 'withdraw',
    source: 'client',
    reason: 'its client cancels it',
    isCancelable: deps.providers.raw(recharge.provider, recharge.providerAccount)?.cancels !== undefined,
  });
  const after = (await deps.domain.reads.recharge(recharge.id)) ?? recharge;
  if (after.nextStep === 'cancel') {
    void deps.queues.hint(`reconciliation-${after.provider}`, [after.id], callOf(call.response).span);
    const ended = await awaitOutcome(deps, call.response, after, CANCEL_WAIT_MS);
    return answer(call.request, call.response, 'recharge', rechargeBody(ended ?? after, deps.providers));
  }
  if (result.verdict !== 'moved' && after.state !== 'CANCELED' && !call.repeats) {
    throw new Problem('INVALID_STATE', `too late to cancel: ${whyTooLate(after.state)}`);
  }
  answer(call.request, call.response, 'recharge', rechargeBody(after, deps.providers));
}

function whyTooLate(state: State): string {
  if (isFinal(state)) return `it is ${state} already`;
  return state === 'CREATED' ? 'the provider reports an order for it already' : 'it was sent to the provider';
}

/** POST /api/charge. `status` is `success` only when the money has arrived. */
export async function charge(
  deps: RechargeDeps,
  call: KeyedCall<never, z.infer<typeof ChargeInput>>,
): Promise<void> {
  const { request, response } = call;
  const taken = await createCharge(deps, call);
  const recharge = (await awaitOutcome(deps, response, taken.recharge, CHARGE_WAIT_MS)) ?? taken.recharge;
  if (taken.replayed) addHeader(response, 'idempotent-replayed', 'true');
  const body = rechargeBody(recharge, deps.providers);
  answer(request, response, 'charge', {
    status: chargeStatusOf[wholeStatusOf(recharge)],
    transaction_id: recharge.id,
    message: body.failure ? body.failure.message : body.message,
    code: body.failure?.code,
  });
}

const chargeStatusOf: Record<Status, 'processing' | 'success' | 'failed'> = {
  accepted: 'processing',
  in_progress: 'processing',
  succeeded: 'success',
  failed: 'failed',
  canceled: 'failed',
};

export async function list(deps: RechargeDeps, call: KeyedCall<z.infer<typeof ListQuery>>): Promise<void> {
  const { request, response, key } = call;
  const query = call.query();
  if (query.accountId !== undefined) requireAccount(key, query.accountId);
  const { rows, nextId } = await deps.domain.reads.list({
    clientId: readClient(key),
    accountPatterns: key.accounts.map(likeOf),
    limit: query.limit,
    accountId: query.accountId,
    states: query.status && states.filter((state) => statusOf[state] === query.status),
    orderReference: query.orderReference,
    createdFrom: optionalTime(query.createdFrom),
    createdTo: optionalTime(query.createdTo),
    beforeId: query.cursor && idOf(query.cursor),
  });
  const page = rows.map((row) => rechargeBody(row, deps.providers));
  const nextCursor = nextId === null ? null : cursorOf(nextId);
  if (preferredForm(request, { csv: true }) !== 'csv')
    return answer(request, response, 'recharges', { data: page, nextCursor });
  if (nextCursor) addHeader(response, 'x-next-cursor', nextCursor);
  sendCsv(
    response,
    'recharges.csv',
    rechargeColumns,
    page.map(({ failure, metadata, delivery, waiting, action: _, ...row }) => ({
      ...row,
      deliveryId: delivery?.transactionId ?? null,
      waiting: waiting?.reason ?? null,
      failureCode: failure?.code ?? null,
      metadata: JSON.stringify(metadata),
    })),
  );
}

const rechargeColumns = [
  'transactionId',
  'status',
  'state',
  'accountId',
  'amount',
  'currency',
  'paymentMethod',
  'provider',
  'providerOrderId',
  'orderReference',
  'failureCode',
  'metadata',
  'createdAt',
  'submittedAt',
  'succeededAt',
  'failedAt',
  'canceledAt',
  'updatedAt',
  'kind',
  'destination',
  'providerAccount',
  'source',
  'target',
  'externalReference',
  'deliveryId',
  'collectedBy',
  'refundOf',
  'refunded',
  'waiting',
] as const;
