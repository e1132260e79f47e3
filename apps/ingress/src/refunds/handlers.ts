import { refundBody } from '@replenish/assembly';
import type { Domain, RefundProblem } from '@replenish/domain';
import type { Providers } from '@replenish/providers';
import { type Counter, newId } from '@replenish/runtime';
import type { z } from 'zod';
import { answer } from '../http/answers/answer.js';
import { invalid, Problem } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';
import type { CallHints } from '../http/traced-call.js';
import { neededKey } from '../input/key-header.js';
import { ownRecharge, readRecharge } from '../recharges/handlers.js';
import type { RefundInput } from './input.js';

export type RefundDeps = Readonly<{
  domain: Pick<Domain, 'createRefund' | 'reads'>;
  providers: Pick<Providers, 'raw'>;
  queues: CallHints;
  requests: Counter<'result'>;
}>;

/** POST /v1/recharges/{id}/refunds */
export async function createRefund(
  deps: RefundDeps,
  call: KeyedCall<never, z.infer<typeof RefundInput>>,
): Promise<void> {
  const { request, response, key } = call;
  const recharge = await ownRecharge(deps, call);
  const { amount, reason } = call.body();
  const ownKey = neededKey(request.headers['idempotency-key']);
  if (!deps.providers.raw(recharge.provider, recharge.providerAccount)?.refunds)
    throw new Problem('INVALID_STATE', `${recharge.provider} does not offer refunds`);
  const { correlationId, span } = Object.assign(callOf(response), { idempotencyKey: ownKey });
  const created = await deps.domain.createRefund({
    ...{ id: newId(), of: recharge.id, clientId: key.clientId, idempotencyKey: ownKey },
    ...{ amountMinor: amount ?? null, reason, correlationId },
  });
  deps.requests.inc({ result: created.ok ? (created.replayed ? 'replayed' : 'created') : created.problem });
  if (!created.ok) throw problemOf[created.problem]();
  const { replayed, refund } = created;
  callOf(response).transactionId = refund.id;
  if (!replayed) void deps.queues.hint(`submission-${refund.provider}`, [refund.id], span);
  if (replayed) addHeader(response, 'idempotent-replayed', 'true');
  addHeader(response, 'location', `/v1/recharges/${refund.id}`);
  answer(request, response, 'refund', refundBody(refund), { status: replayed ? 200 : 202 });
}

/** GET /v1/recharges/{id}/refunds */
export async function listRefunds(deps: RefundDeps, call: KeyedCall): Promise<void> {
  const recharge = await readRecharge(deps, call);
  const refunds = await deps.domain.reads.refunds(recharge.id);
  answer(call.request, call.response, 'refunds', { data: refunds.map(refundBody) });
}

const amountAtFault = (message: string) => () => invalid({ path: 'amount', message });
const wrongState = (detail: string) => () => new Problem('INVALID_STATE', detail);

const problemOf: Readonly<Record<RefundProblem, () => Problem>> = {
  unknown_recharge: () => new Problem('NOT_FOUND', 'there is no such recharge'),
  key_used_with_other_body: () =>
    new Problem(
      'DUPLICATE_REQUEST',
      'this idempotency key was used with another request; to repeat that one, send it unchanged',
    ),
  invalid_state: wrongState('only a recharge that succeeded can be refunded, and no refund can'),
  nothing_left: wrongState('nothing of the recharge is left to refund'),
  too_many_refunds: wrongState('the recharge has as many refunds as one recharge can have'),
  above_original: amountAtFault('is more than what is left of the recharge to refund'),
  beyond_balance: amountAtFault('is more than the balance of the account can hold beside what is there'),
  insufficient_balance: () =>
    new Problem('INSUFFICIENT_BALANCE', "the account's available balance does not cover the refund"),
};
