import type { CancelOutcome } from '../contract/collect.js';
import type {
  CallAnswer,
  Order,
  PayerAction,
  QueryOutcome,
  SoughtOrder,
  SubmitOutcome,
} from '../contract/order.js';
import type { CollectProvider } from '../contract/provider.js';
import type { ProviderDefinition } from '../definition.js';
import { toYuan } from './amounts.js';
import { openBillFiles } from './bill-file.js';
import { type AlipayAccount, type AlipayClient, ENDPOINT, openAlipay } from './client.js';
import { codeOf, factsOf, noAnswerOf, outcomeOfError } from './errors.js';
import { alipayNotifications, type Merchant } from './notifications.js';
import { numberOf } from './numbers.js';
import { alipayRefunds, notRepresentable } from './refunds.js';
import { alipayStatement } from './statement.js';
import { cancelOutcomeOf, foundOutcomeOf, hasEnded, outcomeOfNotExist, readTrade } from './trades.js';

export type AlipayOptions = AlipayAccount &
  Merchant &
  Readonly<{
    /** What the payer reads. Alipay refuses `/`, `=` and `&` in it. */
    subject?: string;
    now?: () => Date;
  }>;

/** The definition of Alipay. It is open where `ALIPAY_APP_ID` is set. */
export const alipay: ProviderDefinition = {
  name: 'alipay',
  methods: ['alipay'],
  open(config) {
    const {
      ALIPAY_APP_ID: appId,
      ALIPAY_PRIVATE_KEY: privateKey,
      ALIPAY_PUBLIC_KEY: alipayPublicKey,
    } = config;
    const { ALIPAY_ENDPOINT: endpoint, ALIPAY_GATEWAY: gateway, ALIPAY_SELLER_ID: sellerId } = config;
    if (!appId) return null;
    if (!privateKey || !alipayPublicKey)
      throw new Error('ALIPAY_APP_ID needs ALIPAY_PRIVATE_KEY and ALIPAY_PUBLIC_KEY');
    return alipayProvider({ appId, privateKey, alipayPublicKey, endpoint, gateway, sellerId });
  },
};

const nothingSent = { httpStatus: null, providerCode: null };

// A QR code of Alipay works for two hours. The pay page gets the same time. It is given as a length, because a point in
// time would change between two tries, and Alipay refuses a known number with other parameters.
const PAYABLE = '2h';
const PAYABLE_MS = 2 * 3_600_000;

/**
 * Collects payments by Alipay: by a QR code, or by the pay page for orders whose metadata say `alipay: page`.
 *
 * @throws when the private key or an address cannot be read
 */
export function alipayProvider(options: AlipayOptions): CollectProvider {
  const client = openAlipay(options);
  const now = options.now ?? (() => new Date());
  const bills = openBillFiles(options.endpoint ?? ENDPOINT);
  return {
    name: 'alipay',
    orders: {
      promises: { idempotentSubmit: true, queryByReference: true },
      async submit(order, signal) {
        const amount = order.currency === 'CNY' ? toYuan(order.amountMinor) : null;
        if (amount === null) return { outcome: notRepresentable, facts: nothingSent };
        const params = {
          out_trade_no: numberOf(order.reference),
          total_amount: amount,
          subject: options.subject ?? 'Account recharge',
          timeout_express: PAYABLE,
        };
        const isPage = Object.hasOwn(order.metadata, 'alipay') && order.metadata.alipay === 'page';
        if (isPage) return { outcome: payPage(client, order, params, now()), facts: nothingSent };
        return precreate(client, order, params, now(), signal);
      },
      find: (order, signal) => findTrade(client, order, now(), signal),
    },
    cancels: { cancel: (order, signal) => closeTrade(client, order, now(), signal) },
    refunds: alipayRefunds(client),
    webhooks: alipayNotifications(client, options),
    statement: alipayStatement({ client, bills, now }),
    async close() {
      await Promise.all([client.close(), bills.close()]);
    },
  };
}

type TradeParams = Readonly<Record<string, string>>;

/** Alipay hears of the order only when the payer opens the page, so this makes no call. */
function payPage(client: AlipayClient, order: Order, params: TradeParams, now: Date): SubmitOutcome {
  const url = client.payPageUrl(order.notifyUrl, { ...params, product_code: 'FAST_INSTANT_TRADE_PAY' }, now);
  return acceptedWith(order, { type: 'redirect', value: url, expiresAt: expiryFrom(now) });
}

async function precreate(
  client: AlipayClient,
  order: Order,
  params: TradeParams,
  now: Date,
  signal: AbortSignal,
): Promise<CallAnswer<SubmitOutcome>> {
  const body = { ...params, notify_url: order.notifyUrl };
  const reply = await client.ask('/v3/alipay/trade/precreate', body, signal);
  const { call } = reply;
  if ('error' in reply)
    return { outcome: outcomeOfError(call, reply.error), facts: factsOf(call, reply.error) };
  const { out_trade_no, qr_code: code } = (reply.data ?? {}) as Record<string, unknown>;
  const isOurs = out_trade_no === params.out_trade_no && typeof code === 'string' && code !== '';
  const outcome: SubmitOutcome = isOurs
    ? acceptedWith(order, { type: 'qr_code', value: code, expiresAt: expiryFrom(now) })
    : { kind: 'unknown', cause: 'unreadable' };
  return { outcome, facts: factsOf(call) };
}

const acceptedWith = ({ reference, amountMinor, currency }: Order, action: PayerAction): SubmitOutcome => ({
  kind: 'accepted',
  ...{ providerOrderId: numberOf(reference), accountId: null, amountMinor, currency, action },
});

const expiryFrom = (now: Date): Date => new Date(now.getTime() + PAYABLE_MS);

async function findTrade(
  client: AlipayClient,
  order: SoughtOrder,
  now: Date,
  signal: AbortSignal,
): Promise<CallAnswer<QueryOutcome>> {
  const reply = await client.ask('/v3/alipay/trade/query', numbersOf(order), signal);
  const { call } = reply;
  if (!('error' in reply))
    return { outcome: foundOutcomeOf(readTrade(reply.data, order)), facts: factsOf(call) };
  const facts = factsOf(call, reply.error);
  if (codeOf(reply.error) === 'TRADE_NOT_EXIST') return { outcome: outcomeOfNotExist(order, now), facts };
  return { outcome: noAnswerOf(call, reply.error), facts };
}

/**
 * Closes a trade. When Alipay refuses, the query tells why. A code that nobody scanned has no trade to close, and stays
 * payable until its time is over: our order may not be called canceled before that.
 */
async function closeTrade(
  client: AlipayClient,
  order: SoughtOrder,
  now: Date,
  signal: AbortSignal,
): Promise<CallAnswer<CancelOutcome>> {
  const reply = await client.ask('/v3/alipay/trade/close', numbersOf(order), signal);
  const { call } = reply;
  if (!('error' in reply)) {
    const isOurs =
      (reply.data as { out_trade_no?: unknown } | null)?.out_trade_no === numberOf(order.reference);
    const outcome: CancelOutcome = isOurs ? { kind: 'canceled' } : { kind: 'unknown', cause: 'unreadable' };
    return { outcome, facts: factsOf(call) };
  }
  const facts = factsOf(call, reply.error);
  const code = codeOf(reply.error);
  if (code === 'TRADE_NOT_EXIST')
    return { outcome: hasEnded(order, now) ? { kind: 'canceled' } : stillPayable(order), facts };
  if (code === null || !isAboutState(code)) return { outcome: noAnswerOf(call, reply.error), facts };
  const asked = await client.ask('/v3/alipay/trade/query', numbersOf(order), signal);
  if ('error' in asked)
    return { outcome: noAnswerOf(asked.call, asked.error), facts: factsOf(asked.call, asked.error) };
  return { outcome: cancelOutcomeOf(readTrade(asked.data, order)), facts: factsOf(asked.call) };
}

const stillPayable = ({ payableUntil = null }: SoughtOrder): CancelOutcome => ({
  kind: 'still_payable',
  until: payableUntil,
});

const isAboutState = (code: string): boolean =>
  /^(TRADE_STATUS_ERROR|REASON_TRADE_STATUS_INVALID|REASON_ILLEGAL_STATUS|TRADE_HAS_(CLOSE|SUCCESS|FINISHED))$/.test(
    code,
  );

const numbersOf = ({ reference }: SoughtOrder) => ({ out_trade_no: numberOf(reference) });
