import { rechargeBody } from '@replenish/assembly';
import { isFinal, RECHECK_EVERY_MS, type RechargeView } from '@replenish/domain';
import { queueOf } from '@replenish/queues';
import { answer } from '../http/answers/answer.js';
import { Problem } from '../http/answers/problem.js';
import { callOf } from '../http/call.js';
import type { KeyedCall } from '../http/operation.js';

import { ownRecharge, type RechargeDeps } from './handlers.js';

/** Asks the provider now, instead of at the due time. The answer to the caller does not wait for the provider. */
export async function recheck(deps: RechargeDeps, call: KeyedCall): Promise<void> {
  const recharge = await ownRecharge(deps, call);
  call.body();
  const transactionId = underWay(recharge);
  const asked = { transactionId, by: call.key.keyId, reason: 'its client asks' };
  const { outcome, due } = await deps.domain.recheck(asked);
  const isRefused = outcome !== 'asking' && !call.repeats;
  if (isRefused && outcome === 'too_soon') throw tooSoon();
  if (isRefused) throw new Problem('INVALID_STATE', `nothing is under way: ${whyNot(recharge)}`);
  if (due)
    void deps.queues.hint(queueOf({ what: 'recharge', ...due }), [transactionId], callOf(call.response).span);
  answer(call.request, call.response, 'recharge', rechargeBody(recharge, deps.providers), { status: 202 });
}

/** The transaction that a provider may have: the delivery, once the money is collected. */
const underWay = ({ id, state, delivery }: RechargeView): string =>
  state === 'SUCCEEDED' && delivery !== null && !isFinal(delivery.state) ? delivery.id : id;

const whyNot = ({ state }: RechargeView): string =>
  isFinal(state) ? `it is ${state} already` : 'it was not sent to the provider yet';

const tooSoon = (): Problem =>
  new Problem(
    'RATE_LIMITED',
    `the provider was asked about it already: once in ${RECHECK_EVERY_MS / 1_000} seconds is the limit`,
    { headers: { 'retry-after': String(RECHECK_EVERY_MS / 1_000) } },
  );
