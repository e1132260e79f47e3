import { isCurrency, readMajor, showMajor } from '../amounts.js';
import { enveloped, gatewayError, type RpcParams, type RpcReply } from '../answers.js';
import type { CloudStore } from '../store.js';

const CURRENCY = 'CNY';

/**
 * ChangeResellerConsumeAmount of a virtual operator. `decrease` lowers the consumed quota of a customer. One OutBizId is
 * executed once; the simulator answers a repetition with the first answer. The real answer is not published.
 */
export async function changeConsumeAmount(
  store: CloudStore,
  params: RpcParams,
  nowMs: number,
): Promise<RpcReply> {
  const key = params.get('OutBizId') ?? '';
  const owner = params.get('OwnerId') ?? '';
  const currency = params.get('Currency') ?? '';
  const type = params.get('AdjustType') ?? '';
  const amount = isCurrency(currency) ? readMajor(params.get('Amount') ?? '', currency) : null;
  if (key === '' || amount === null || currency !== CURRENCY || !['increase', 'decrease'].includes(type))
    return gatewayError(400, 'ParameterError', 'A parameter is missing or invalid.');
  return store.change(() => {
    const quota = store.quotas.get(owner);
    if (!quota) return gatewayError(400, '-304', 'Record is not exists.');
    const before = quota.done[key];
    if (before !== undefined) return enveloped(before, '200');
    const consumed = quota.consumed + (type === 'increase' ? amount : -amount);
    const shown = showMajor(consumed, CURRENCY);
    store.quotas.put(owner, { consumed, done: { ...quota.done, [key]: shown } });
    const change = { owner, outBizId: key, amount: quota.consumed - consumed, atMs: nowMs };
    store.quotaChanges.put(store.nextNumber(), change);
    return enveloped(shown, '200');
  });
}

export function availableQuota(store: CloudStore, params: RpcParams): RpcReply {
  const quota = store.quotas.get(params.get('OwnerId') ?? '');
  if (!quota) return gatewayError(400, '-304', 'Record is not exists.');
  // The samples answer the code of this operation as a number.
  const answer = enveloped(showMajor(-quota.consumed, CURRENCY));
  return { ...answer, body: { ...answer.body, Code: 200 } };
}
