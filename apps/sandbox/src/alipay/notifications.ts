import { type Logger, newId } from '@replenish/runtime';
import { Agent, request } from 'undici';
import type { Behaviors } from '../machine/behaviors.js';
import type { DueQueue, DueRow, Next } from '../machine/due-queue.js';
import type { AlipayBehavior } from './faults.js';
import { rsa2, signedText } from './signature.js';
import type { AlipayStore, NotifyWork, StoredNotification } from './store.js';
import { chinaTime, refundedFen, type StoredTrade, type StoredTradeRefund, yuanOf } from './trade.js';

export type NotificationOptions = Readonly<{
  appId: string;
  sellerId: string;
  alipayPrivateKey: string;
  /** The waits between the attempts. */
  gapsMs: readonly number[];
  /** The delay of a late notification. */
  lateMs: number;
  /** The delay of the second copy of a notification. */
  repeatMs: number;
  log: Logger;
}>;

const MINUTE_MS = 60_000;

/** Alipay repeats a notification seven times within 25 hours. */
export const notifyGapsMs: readonly number[] = [4, 10, 10, 60, 120, 360, 900].map((one) => one * MINUTE_MS);

const ATTEMPT_LIMIT_MS = 10_000;

/** Notifies the merchant of payments and refunds, and repeats until the answer is exactly `success`. */
export class Notifications {
  readonly #store: AlipayStore;
  readonly #behaviors: Behaviors<AlipayBehavior>;
  readonly #options: NotificationOptions;
  readonly #agent = new Agent({ connections: 64 });
  #queue!: DueQueue<NotifyWork>;
  #isStopping = false;

  constructor(store: AlipayStore, behaviors: Behaviors<AlipayBehavior>, options: NotificationOptions) {
    this.#store = store;
    this.#behaviors = behaviors;
    this.#options = options;
  }

  useQueue(queue: DueQueue<NotifyWork>): void {
    this.#queue = queue;
  }

  /** Notifies of the present state of a trade. `refund`: the refund that caused it. */
  tell(trade: StoredTrade, refund?: StoredTradeRefund): void {
    if (trade.notifyUrl === null) return;
    const nowMs = Date.now();
    const faults = ['notify_lost', 'notify_twice', 'notify_late'] as const;
    const fault = this.#behaviors.take(faults, trade.outTradeNo);
    if (fault === 'notify_lost') return;
    const id = newId().replaceAll('-', '');
    const form = new URLSearchParams(this.#signed(this.#fields(trade, id, nowMs, refund))).toString();
    const { outTradeNo, notifyUrl: url } = trade;
    this.#store.notifications.putSync(id, { id, outTradeNo, url, form, attempts: 0, taken: false });
    const dueAtMs = nowMs + (fault === 'notify_late' ? this.#options.lateMs : 0);
    const dueTimes = fault === 'notify_twice' ? [dueAtMs, dueAtMs + this.#options.repeatMs] : [dueAtMs];
    for (const one of dueTimes)
      void this.#queue.add(one, `notify/${id}`, { notificationId: id, failures: 0 });
  }

  of(outTradeNo: string): StoredNotification[] {
    const all = [...this.#store.notifications.getRange()].map(({ value }) => value);
    return all.filter((one) => one.outTradeNo === outTradeNo);
  }

  async deliver({ value: work }: DueRow<NotifyWork>): Promise<Next<NotifyWork>> {
    const one = this.#store.notifications.get(work.notificationId);
    if (!one) return 'done';
    const taken = await this.#post(one.url, one.form);
    if (!taken && this.#isStopping) return 'unchanged';
    await this.#store.notifications.put(one.id, { ...one, attempts: one.attempts + 1, taken });
    const gapMs = this.#options.gapsMs[work.failures];
    if (taken || gapMs === undefined) return 'done';
    return { dueAtMs: Date.now() + gapMs, work: { ...work, failures: work.failures + 1 } };
  }

  #fields(trade: StoredTrade, id: string, nowMs: number, refund?: StoredTradeRefund): Record<string, string> {
    const { appId, sellerId } = this.#options;
    const amount = yuanOf(trade.fen);
    const optional = {
      body: trade.body,
      passback_params: trade.passbackParams,
      gmt_payment: trade.paidAtMs === null ? null : chinaTime(trade.paidAtMs),
      gmt_close: trade.status === 'TRADE_CLOSED' ? chinaTime(nowMs) : null,
      gmt_refund: refund ? chinaTime(refund.atMs) : null,
      refund_fee: refund ? yuanOf(refundedFen(trade)) : null,
      out_biz_no: refund ? refund.outRequestNo : null,
    };
    return {
      notify_time: chinaTime(nowMs),
      notify_type: 'trade_status_sync',
      notify_id: id,
      ...{ app_id: appId, auth_app_id: appId, charset: 'utf-8', version: '1.0', sign_type: 'RSA2' },
      trade_no: trade.tradeNo,
      out_trade_no: trade.outTradeNo,
      trade_status: trade.status === 'NOT_SCANNED' ? 'WAIT_BUYER_PAY' : trade.status,
      ...{ total_amount: amount, receipt_amount: amount, buyer_pay_amount: amount, invoice_amount: amount },
      ...{ seller_id: sellerId, buyer_id: '2088000000000001' },
      gmt_create: chinaTime(trade.createdMs),
      fund_bill_list: JSON.stringify([{ amount, fundChannel: 'ALIPAYACCOUNT' }]),
      subject: trade.subject,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== null)),
    } as Record<string, string>;
  }

  #signed(fields: Record<string, string>): Record<string, string> {
    // `sign_type` takes no part in the signature of a notification, unlike in that of a request.
    const sign = rsa2(signedText(fields, ['sign_type']), this.#options.alipayPrivateKey);
    return { ...fields, sign };
  }

  async #post(url: string, form: string): Promise<boolean> {
    try {
      const answer = await request(url, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: form,
        dispatcher: this.#agent,
        signal: AbortSignal.timeout(ATTEMPT_LIMIT_MS),
      });
      return (await answer.body.text()) === 'success' && answer.statusCode === 200;
    } catch (error) {
      this.#options.log.debug({ err: error, url }, 'notification of Alipay not delivered');
      return false;
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#agent.destroy();
  }
}
