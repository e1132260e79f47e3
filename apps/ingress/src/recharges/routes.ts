import {
  type Domain,
  isFinal,
  isUuid,
  type Key,
  type RechargeView,
  type State,
  states,
} from '@replenish/domain';
import type { Scope } from '@replenish/domain/rules';
import type { IRouter, Request, Response } from 'express';
import { z } from 'zod';
import { coversAccount, likeOf } from '../auth/account-patterns.js';
import { requireAccount } from '../auth/refusals.js';
import { answer, preferredForm } from '../http/answer.js';
import { sendCsv } from '../http/csv.js';
import { otherMethods } from '../http/methods.js';
import { Problem } from '../http/problem.js';
import { addHeader } from '../http/send.js';
import { accountId, optionalTime, pageLimit, text, timestamp } from '../input/fields.js';
import { readQuery, refuseQuery } from '../input/query.js';
import { refuseBody, refuseUnheard } from '../input/unheard.js';
import type { Waits } from '../protection/waits.js';
import { rechargeBody, statusOf, timelineBody } from './body.js';
import { type IntakeDeps, takeCharge, takeRecharge } from './intake.js';
import { untilFinal, waitMsFrom } from './waiting.js';

export type RechargeDeps = IntakeDeps &
  Readonly<{
    domain: Pick<Domain, 'createRecharge' | 'applyNews' | 'reads'>;
    caller: (request: Request, scope: Scope) => Promise<Key>;
    stopping?: AbortSignal | undefined;
    /** Undefined: any number of calls may wait. */
    waits?: Waits | undefined;
  }>;

// The source document's form answers synchronously; four seconds is what its callers wait for a page.
const CHARGE_WAIT_MS = 4_000;

export function addRechargeRoutes(router: IRouter, deps: RechargeDeps): void {
  const create = async (request: Request, response: Response) => {
    const key = await deps.caller(request, 'recharges:write');
    refuseUnheard(request);
    const { replayed, recharge } = await takeRecharge(deps, key, request, response);
    if (replayed) addHeader(response, 'idempotent-replayed', 'true');
    addHeader(response, 'location', `/v1/recharges/${recharge.id}`);
    answer(request, response, 'recharge', rechargeBody(recharge), { status: replayed ? 200 : 202 });
  };
  const one = async (request: Request, response: Response) => {
    const recharge = await own(deps, request, 'recharges:read');
    const waitMs = waitMsFrom(request.headers.prefer as string);
    const waited = await afterWaiting(deps, response, recharge, waitMs);
    if (waited) addHeader(response, 'preference-applied', `wait=${waitMs / 1_000}`);
    answer(request, response, 'recharge', rechargeBody(waited ?? recharge));
  };
  const timeline = async (request: Request, response: Response) => {
    const recharge = await own(deps, request, 'recharges:read');
    const rows = await deps.domain.reads.timeline(recharge.id);
    answer(request, response, 'timeline', { data: rows.map(timelineBody) });
  };
  const bound = (handle: typeof list) => (request: Request, response: Response) =>
    handle(deps, request, response);
  router.route('/v1/recharges').get(bound(list)).post(create).all(otherMethods);
  router.route('/recharge').post(create).all(otherMethods);
  router.route('/api/charge').post(bound(charge)).all(otherMethods);
  router.route('/v1/recharges/:id').get(one).all(otherMethods);
  router.route('/v1/recharges/:id/timeline').get(timeline).all(otherMethods);
  router.route('/v1/recharges/:id/cancel').post(bound(cancel)).all(otherMethods);
}

/** The recharge once it is final or the time is up; null when the call is not to wait, or may not. */
async function afterWaiting(
  { domain, stopping, waits }: RechargeDeps,
  response: Response,
  recharge: RechargeView,
  waitMs: number,
): Promise<RechargeView | null> {
  if (waitMs === 0) return null;
  const end = waits ? waits.begin(response) : () => {};
  if (!end) return null;
  try {
    return await untilFinal(domain.reads, recharge, waitMs, nobodyWaits(response, stopping));
  } finally {
    end();
  }
}

/** Aborted when the caller has gone, or this process is about to. */
function nobodyWaits(response: Response, stopping: AbortSignal | undefined): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  return stopping ? AbortSignal.any([gone.signal, stopping]) : gone.signal;
}

/** The caller's own recharge. Somebody else's answers exactly as one that does not exist. */
async function own(deps: RechargeDeps, request: Request, scope: Scope): Promise<RechargeView> {
  const key = await deps.caller(request, scope);
  refuseQuery(request);
  const id = String(request.params.id).toLowerCase();
  const recharge = isUuid(id) ? await deps.domain.reads.recharge(id) : null;
  if (recharge?.clientId !== key.clientId || !coversAccount(key, recharge.accountId)) throw unknownRecharge();
  return recharge;
}

const unknownRecharge = (): Problem =>
  new Problem('NOT_FOUND', 'there is no such recharge', { suspicion: 'unknown_recharge' });

async function cancel(deps: RechargeDeps, request: Request, response: Response): Promise<void> {
  const recharge = await own(deps, request, 'recharges:write');
  refuseUnheard(request);
  refuseBody(request, 'cancel');
  const heard = await deps.domain.applyNews({
    transactionId: recharge.id,
    news: 'withdraw',
    source: 'client',
    reason: 'canceled by its producer before it was sent',
  });
  const after = (await deps.domain.reads.recharge(recharge.id)) ?? recharge;
  if (heard.verdict !== 'moved' && after.state !== 'CANCELED') {
    throw new Problem('INVALID_STATE', `too late to cancel: ${whyTooLate(after.state)}`);
  }
  answer(request, response, 'recharge', rechargeBody(after));
}

function whyTooLate(state: State): string {
  if (isFinal(state)) return `it is ${state} already`;
  return state === 'CREATED' ? 'the provider reports an order for it already' : 'it was sent to the provider';
}

/** The form of the source document: `status` is success only when the money has arrived. */
async function charge(deps: RechargeDeps, request: Request, response: Response): Promise<void> {
  const key = await deps.caller(request, 'recharges:write');
  refuseUnheard(request);
  const taken = await takeCharge(deps, key, request, response);
  const recharge = (await afterWaiting(deps, response, taken.recharge, CHARGE_WAIT_MS)) ?? taken.recharge;
  if (taken.replayed) addHeader(response, 'idempotent-replayed', 'true');
  const body = rechargeBody(recharge);
  answer(request, response, 'charge', {
    status: chargeStatusOf[recharge.state],
    transaction_id: recharge.id,
    message: body.failure ? body.failure.message : body.message,
    ...(body.failure && { code: body.failure.code }),
  });
}

const chargeStatusOf: Record<State, 'processing' | 'success' | 'failed'> = {
  CREATED: 'processing',
  SUBMITTED: 'processing',
  PENDING_CONFIRMATION: 'processing',
  SUCCEEDED: 'success',
  FAILED: 'failed',
  CANCELED: 'failed',
};

export const ListQuery = z.strictObject({
  accountId: accountId.optional().meta({ description: 'Only of this account' }),
  status: z
    .enum(['accepted', 'in_progress', 'succeeded', 'failed', 'canceled'])
    .optional()
    .meta({ description: 'Only with this status' }),
  orderReference: text(255).optional().meta({ description: 'Only with exactly this reference' }),
  createdFrom: timestamp.optional().meta({ description: 'Only created at this time or later (RFC 3339)' }),
  createdTo: timestamp.optional().meta({ description: 'Only created before this time (RFC 3339)' }),
  limit: pageLimit(20),
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{22}$/, 'must be the nextCursor of an earlier page')
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
});

async function list(deps: RechargeDeps, request: Request, response: Response): Promise<void> {
  const key = await deps.caller(request, 'recharges:read');
  const query = readQuery(ListQuery, request);
  if (query.accountId !== undefined) requireAccount(key, query.accountId);
  const { rows, nextId } = await deps.domain.reads.list({
    clientId: key.clientId,
    accountPatterns: key.accounts.map(likeOf),
    limit: query.limit,
    accountId: query.accountId,
    states: query.status && states.filter((state) => statusOf[state] === query.status),
    orderReference: query.orderReference,
    createdFrom: optionalTime(query.createdFrom),
    createdTo: optionalTime(query.createdTo),
    beforeId: query.cursor && idOf(query.cursor),
  });
  const page = rows.map(rechargeBody);
  const nextCursor = nextId === null ? null : cursorOf(nextId);
  if (preferredForm(request, { csv: true }) !== 'csv')
    return answer(request, response, 'recharges', { data: page, nextCursor });
  if (nextCursor) addHeader(response, 'x-next-cursor', nextCursor);
  sendCsv(
    response,
    'recharges.csv',
    rechargeColumns,
    page.map(({ failure, metadata, ...row }) => ({
      ...row,
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
] as const;

/** A cursor is the id that the page before ended with, packed: opaque to clients, and nothing in it has to be trusted. */
const cursorOf = (id: string): string => Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url');

function idOf(cursor: string): string {
  const hex = Buffer.from(cursor, 'base64url').toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
