import { newId } from '@replenish/runtime';
import type { Behaviors } from '../machine/behaviors.js';
import { type AlipayBehavior, type AlipayFault, business } from './faults.js';
import type { Notifications } from './notifications.js';
import type { AlipayStore } from './store.js';
import { chinaTime, fenOf, refundedFen, type StoredTrade, type StoredTradeRefund, yuanOf } from './trade.js';

/** The business parameters of a call. */
export type BizContent = Readonly<Record<string, unknown>>;

const DEFAULT_PAYABLE_MS = 2 * 3_600_000;

const notExist = () => business('TRADE_NOT_EXIST', 'the trade does not exist');

/** The trades of the simulated merchant. */
export class TradeBook {
  readonly #store: AlipayStore;
  readonly #notifications: Notifications;
  readonly #behaviors: Behaviors<AlipayBehavior>;

  constructor(store: AlipayStore, notifications: Notifications, behaviors: Behaviors<AlipayBehavior>) {
    this.#store = store;
    this.#notifications = notifications;
    this.#behaviors = behaviors;
  }

  /** Makes a trade, or returns the one of the same number. */
  open(biz: BizContent, notifyUrl: string | null, status: 'NOT_SCANNED' | 'WAIT_BUYER_PAY'): StoredTrade {
    const outTradeNo = outTradeNoOf(biz);
    const fen = fenOf(biz.total_amount);
    const subject = String(biz.subject ?? '');
    if (fen === null) throw invalid('total_amount: must be yuan with at most two places');
    if (subject === '' || /[/=&]/.test(subject)) throw invalid('subject: needed, without / = &');
    const known = this.find(outTradeNo);
    if (known) return this.#again(known, fen, subject, status);
    const nowMs = Date.now();
    const tradeNo = `20${newId().replaceAll('-', '').replace(/\D/g, '').padEnd(26, '0').slice(0, 26)}`;
    const trade: StoredTrade = {
      ...{ outTradeNo, tradeNo, subject, fen, status, notifyUrl },
      body: textOf(biz.body),
      passbackParams: textOf(biz.passback_params),
      qrCode: `https://qr.alipay.com/bax${tradeNo}`,
      createdMs: nowMs,
      payableUntilMs: nowMs + payableMs(biz.timeout_express),
      paidAtMs: null,
      closedAtMs: null,
      refunds: [],
    };
    this.#store.byTradeNo.putSync(tradeNo, outTradeNo);
    return this.#put(trade);
  }

  #again(known: StoredTrade, fen: number, subject: string, status: StoredTrade['status']): StoredTrade {
    if (known.status === 'TRADE_SUCCESS') throw business('TRADE_HAS_SUCCESS', 'the trade is paid');
    if (known.status === 'TRADE_CLOSED') throw business('TRADE_HAS_CLOSE', 'the trade is closed');
    if (known.fen !== fen || known.subject !== subject)
      throw business('CONTEXT_INCONSISTENT', 'the trade has other parameters');
    return status === 'WAIT_BUYER_PAY' ? this.scan(known.outTradeNo) : known;
  }

  /** The trade of a number. A trade whose time to pay is over is closed by this look-up. */
  find(outTradeNo: string): StoredTrade | null {
    const trade = this.#store.trades.get(outTradeNo);
    if (!trade) return null;
    const isOver = trade.status === 'WAIT_BUYER_PAY' && Date.now() >= trade.payableUntilMs;
    return isOver ? this.#put({ ...trade, status: 'TRADE_CLOSED', closedAtMs: trade.payableUntilMs }) : trade;
  }

  /** @throws AlipayFault when Alipay has no such trade. It has none before the payer has scanned the code */
  existing(biz: BizContent): StoredTrade {
    const tradeNo = textOf(biz.trade_no);
    const outTradeNo = tradeNo === null ? outTradeNoOf(biz) : this.#store.byTradeNo.get(tradeNo);
    const trade = outTradeNo === undefined ? null : this.find(outTradeNo);
    if (!trade || trade.status === 'NOT_SCANNED') throw notExist();
    return trade;
  }

  scan(outTradeNo: string): StoredTrade {
    const trade = this.#payable(outTradeNo);
    return trade.status === 'NOT_SCANNED' ? this.#put({ ...trade, status: 'WAIT_BUYER_PAY' }) : trade;
  }

  /** The payer pays. `fen`: another amount than the ordered one. */
  pay(outTradeNo: string, fen?: number): StoredTrade {
    const trade = this.#payable(outTradeNo);
    const paid = this.#put({
      ...trade,
      fen: fen ?? trade.fen,
      status: 'TRADE_SUCCESS',
      paidAtMs: Date.now(),
      closedAtMs: null,
    });
    this.#notifications.tell(paid);
    return paid;
  }

  close(biz: BizContent): StoredTrade {
    const trade = this.existing(biz);
    if (trade.status !== 'WAIT_BUYER_PAY')
      throw business('TRADE_STATUS_ERROR', `a trade in ${trade.status} cannot be closed`);
    return this.#put({ ...trade, status: 'TRADE_CLOSED', closedAtMs: Date.now() });
  }

  /** @returns the trade after the refund, and whether this call moved money */
  refund(biz: BizContent): Readonly<{ trade: StoredTrade; isMoved: boolean }> {
    const trade = this.existing(biz);
    const fen = fenOf(biz.refund_amount);
    if (fen === null) throw invalid('refund_amount: must be yuan with at most two places');
    const outRequestNo = textOf(biz.out_request_no) ?? trade.outTradeNo;
    const known = trade.refunds.find((one) => one.outRequestNo === outRequestNo);
    if (known && known.fen !== fen)
      throw business('DISCORDANT_REPEAT_REQUEST', 'this out_request_no has another amount');
    if (known) return { trade, isMoved: false };
    if (trade.paidAtMs === null) throw business('TRADE_STATUS_ERROR', 'the trade is not paid');
    const left = trade.fen - refundedFen(trade);
    if (fen > left) throw business('REFUND_AMT_NOT_EQUAL_TOTAL', 'more than what is left');
    const refund: StoredTradeRefund = { outRequestNo, fen, atMs: Date.now() };
    const refunds = [...trade.refunds, refund];
    const after = this.#put({ ...trade, refunds, status: fen === left ? 'TRADE_CLOSED' : trade.status });
    this.#notifications.tell(after, refund);
    return { trade: after, isMoved: true };
  }

  newest(limit: number): StoredTrade[] {
    return [...this.#store.trades.getRange({ reverse: true, limit })].map(({ value }) => value);
  }

  #payable(outTradeNo: string): StoredTrade {
    const trade = this.find(outTradeNo);
    if (!trade) throw notExist();
    if (trade.status === 'TRADE_SUCCESS') throw business('TRADE_HAS_SUCCESS', 'the trade is paid');
    const isOver = trade.status === 'TRADE_CLOSED' || Date.now() >= trade.payableUntilMs;
    if (isOver && !this.#behaviors.take(['pay_after_close'], outTradeNo))
      throw business('TRADE_HAS_CLOSE', 'the trade is closed');
    return trade;
  }

  #put(trade: StoredTrade): StoredTrade {
    this.#store.trades.putSync(trade.outTradeNo, trade);
    return trade;
  }
}

export const invalid = (message: string): AlipayFault => business('INVALID_PARAMETER', message);

function outTradeNoOf(biz: BizContent): string {
  const outTradeNo = textOf(biz.out_trade_no);
  if (outTradeNo === null || !/^[A-Za-z0-9_]{1,64}$/.test(outTradeNo))
    throw invalid('out_trade_no: needed, at most 64 letters, digits and _');
  return outTradeNo;
}

const textOf = (given: unknown): string | null => (typeof given === 'string' && given !== '' ? given : null);

/** The time that `timeout_express` gives, such as `90m`, `2h` or `1d`. */
function payableMs(timeoutExpress: unknown): number {
  const [, count, unit] = /^(\d{1,5})([mhd])$/.exec(String(timeoutExpress ?? '')) ?? [];
  const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 }[unit ?? ''];
  return unitMs === undefined ? DEFAULT_PAYABLE_MS : Number(count) * unitMs;
}

export const showTrade = (trade: StoredTrade) => ({
  trade_no: trade.tradeNo,
  out_trade_no: trade.outTradeNo,
  trade_status: trade.status,
  total_amount: yuanOf(trade.fen),
  ...(trade.paidAtMs === null ? {} : { send_pay_date: chinaTime(trade.paidAtMs) }),
  buyer_logon_id: 'sim***@example.com',
  buyer_user_id: '2088000000000001',
});
