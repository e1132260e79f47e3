import { readMajor, showMajor } from '../amounts.js';
import { enveloped, gatewayError, type RpcParams, type RpcReply } from '../answers.js';
import type { CloudStore } from '../store.js';
import { chinaTime } from '../times.js';

const CURRENCY = 'USD';
const notYours = gatewayError(400, 'InvalidParam.Uid.NotYourEu', 'The customer is not yours.');

/** DeductOutstandingBalance: relative and without a key, so a repetition deducts again. */
export function deductOutstanding(
  store: CloudStore,
  params: RpcParams,
  { nowMs, visibleAfterMs }: Readonly<{ nowMs: number; visibleAfterMs: number }>,
): Promise<RpcReply> {
  return store.change(() => {
    const uid = params.get('Uid') ?? '';
    const credit = store.credits.get(uid);
    if (!credit) return notYours;
    const amount = readMajor(params.get('DeductAmount') ?? '', CURRENCY);
    if (amount === null) return gatewayError(400, 'InvalidParameter', 'DeductAmount is invalid.');
    store.credits.put(uid, { ...credit, outstanding: credit.outstanding - amount });
    store.deductions.put(store.nextNumber(), {
      uid,
      amount,
      atMs: nowMs,
      visibleAtMs: nowMs + visibleAfterMs,
    });
    return enveloped(undefined, '200');
  });
}

/** SetCreditLine: absolute, so a repetition changes nothing. */
export function setCreditLine(store: CloudStore, params: RpcParams): Promise<RpcReply> {
  return store.change(() => {
    const uid = params.get('Uid') ?? '';
    const credit = store.credits.get(uid);
    if (!credit) return notYours;
    const creditLine = readMajor(params.get('CreditLine') ?? '', CURRENCY);
    if (creditLine === null) return gatewayError(400, '3041', 'The credit line is not a number.');
    store.credits.put(uid, { ...credit, creditLine });
    return enveloped(undefined, '200');
  });
}

export function creditInfo(store: CloudStore, params: RpcParams): RpcReply {
  const credit = store.credits.get(params.get('Uid') ?? '');
  if (!credit) return notYours;
  const { creditLine, outstanding } = credit;
  return enveloped(
    {
      CreditLine: showMajor(creditLine, CURRENCY),
      OutstandingBalance: showMajor(outstanding, CURRENCY),
      AvailableCredit: showMajor(creditLine - outstanding, CURRENCY),
      AccountStatus: 'normal',
      AlarmThreshold: '20',
      ZeroCreditShutdownPolicy: 'immediateStop',
      newBuyStatus: 'normal',
      ConsumedUndeductedValue: '0.00',
    },
    '200',
  );
}

const PAGE_SIZE_MAX = 100;

/**
 * QueryReversedDeductionHistory. It shows amount and time of a deduction, and no reference.
 * @param shownMs the time as of which the history is shown
 */
export function deductionHistory(store: CloudStore, params: RpcParams, shownMs: number): RpcReply {
  const uid = params.get('Uid') ?? '';
  if (!store.credits.get(uid)) return notYours;
  const size = Number(params.get('PageSize') ?? '20');
  const page = Number(params.get('PageNo') ?? '1');
  if (!(size >= 1 && size <= PAGE_SIZE_MAX && page >= 1))
    return gatewayError(400, 'InvalidParameter', 'PageNo or PageSize is invalid.');
  const [from, to] = [params.get('StartDate') ?? '', params.get('EndDate') ?? ''];
  const rows = [...store.deductions.getRange({ reverse: true })]
    .map(({ value }) => ({ ...value, time: chinaTime(value.atMs) }))
    .filter(({ visibleAtMs }) => visibleAtMs <= shownMs)
    .filter((row) => row.uid === uid && row.time.slice(0, 10) >= from && row.time.slice(0, 10) <= to);
  const shown = rows.slice((page - 1) * size, page * size).map(({ time, amount }) => ({
    OperationTime: `${time} UTC+8`,
    OffsetAmount: showMajor(amount, CURRENCY),
    OperationUid: uid,
    OperationSubmitType: 'API',
  }));
  const answer = enveloped(shown, '200');
  return { ...answer, body: { ...answer.body, TotalCount: rows.length, PageNo: page, PageSize: size } };
}
