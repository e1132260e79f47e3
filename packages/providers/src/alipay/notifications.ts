import { createHash } from 'node:crypto';
import type { ProviderEvent, UnreadEvent, Webhooks } from '../contract/webhook.js';
import { fromYuan } from './amounts.js';
import type { AlipayClient } from './client.js';
import { numberOf, referenceOf } from './numbers.js';
import { wasPaid } from './trades.js';

type Fields = Readonly<Record<string, string>>;

export type Merchant = Readonly<{
  appId: string;
  /** `ALIPAY_SELLER_ID`. Unset: the seller of a notification is not checked. */
  sellerId?: string | undefined;
}>;

export function alipayNotifications(client: AlipayClient, merchant: Merchant): Webhooks {
  return {
    verify(rawBody) {
      const fields = fieldsOf(rawBody);
      // A notification has no time that its signature fixes for each attempt: it is repeated unchanged for 25 hours. Its
      // id makes a repeat harmless.
      if (!fields || !client.isSigned(fields)) return { ok: false, refusal: 'bad_signature' };
      const digest = createHash('sha256').update(rawBody).digest('hex');
      return {
        ok: true,
        eventId: /^[\x21-\x7e]{1,255}$/.exec(fields.notify_id ?? '')?.[0] ?? `body_${digest}`,
      };
    },
    // Several apps may have the same key of Alipay.
    names: (rawBody) => fieldsOf(rawBody)?.app_id === merchant.appId,
    read: (rawBody) => readNotification(fieldsOf(rawBody), merchant),
    // Alipay repeats the notification after any other body.
    reply: { contentType: 'text/plain', body: 'success' },
  };
}

/** The fields of a form, decoded once. Null when a name occurs twice: it is unclear which value was signed. */
function fieldsOf(rawBody: Buffer): Fields | null {
  const pairs = [...new URLSearchParams(rawBody.toString('utf8'))];
  const fields = Object.fromEntries(pairs);
  return Object.keys(fields).length === pairs.length ? fields : null;
}

const statuses: Readonly<Record<string, 'pending' | 'settled' | 'canceled'>> = {
  WAIT_BUYER_PAY: 'pending',
  TRADE_SUCCESS: 'settled',
  // This status also comes three months after the payment, when no refund is possible any more. It then repeats what is
  // known.
  TRADE_FINISHED: 'settled',
  TRADE_CLOSED: 'canceled',
};

/** Reads a notification. One for another app or seller is authentic, but its money is not ours: a person has to look. */
export function readNotification(fields: Fields | null, { appId, sellerId }: Merchant): ProviderEvent {
  if (fields?.notify_type !== 'trade_status_sync') return unread(fields);
  const isOurs = fields.app_id === appId && (sellerId === undefined || fields.seller_id === sellerId);
  if (!isOurs) return unread(fields);
  const reference = referenceOf(fields.out_trade_no);
  const amountMinor = fromYuan(fields.total_amount);
  const name = fields.trade_status ?? '';
  if (isAboutRefund(fields)) return ofRefund(fields);
  if (reference === null || amountMinor === null || !Object.hasOwn(statuses, name)) return unread(fields);
  return {
    kind: 'order',
    reference,
    providerOrderId: numberOf(reference),
    accountId: null,
    status: statuses[name]!,
    ...{ amountMinor, currency: 'CNY' },
    ...(name === 'TRADE_CLOSED' ? { code: name } : {}),
  };
}

const isAboutRefund = (fields: Fields): boolean =>
  (fields.gmt_refund ?? '') !== '' ||
  Number(fields.refund_fee ?? 0) !== 0 ||
  (fields.trade_status === 'TRADE_CLOSED' && wasPaid(fields));

/**
 * The notification of a refund tells only the sum of all refunds. A refund of ours is known exactly from its own call
 * and query. A refund that somebody made elsewhere needs a person. The end of the refund period repeats earlier
 * refunds, and is no news.
 */
function ofRefund(fields: Fields): ProviderEvent {
  if (fields.trade_status === 'TRADE_FINISHED') return { kind: 'ignored', type: 'TRADE_FINISHED' };
  return referenceOf(fields.out_biz_no) === null ? unread(fields) : { kind: 'ignored', type: 'refund' };
}

const unread = (fields: Fields | null): UnreadEvent => ({
  kind: 'unread',
  type: printable(fields?.notify_type),
  reference: referenceOf(fields?.out_trade_no),
  providerOrderId: printable(fields?.out_trade_no),
});

const printable = (text: string | undefined): string | null =>
  /^[\x21-\x7e]{1,255}$/.exec(text ?? '')?.[0] ?? null;
