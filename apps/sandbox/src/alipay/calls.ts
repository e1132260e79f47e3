import { AlipayFault } from './faults.js';
import { type BizContent, invalid, showTrade, type TradeBook } from './machine.js';
import { refundedFen, yuanOf } from './trade.js';

type AlipayCall = (book: TradeBook, biz: BizContent, notifyUrl: string | null) => object;

/** The operations, by the names of V2. A path of V3 is the name with slashes. */
const calls: Readonly<Record<string, AlipayCall>> = {
  'alipay.trade.precreate': (book, biz, notifyUrl) => {
    const trade = book.open(biz, notifyUrl, 'NOT_SCANNED');
    return { out_trade_no: trade.outTradeNo, qr_code: trade.qrCode };
  },
  'alipay.trade.query': (book, biz) => showTrade(book.existing(biz)),
  'alipay.trade.close': (book, biz) => {
    const { tradeNo, outTradeNo } = book.close(biz);
    return { trade_no: tradeNo, out_trade_no: outTradeNo };
  },
  'alipay.trade.refund': (book, biz) => {
    const { trade, isMoved } = book.refund(biz);
    return {
      trade_no: trade.tradeNo,
      out_trade_no: trade.outTradeNo,
      buyer_logon_id: 'sim***@example.com',
      fund_change: isMoved ? 'Y' : 'N',
      refund_fee: yuanOf(refundedFen(trade)),
    };
  },
  'alipay.trade.fastpay.refund.query': (book, biz) => {
    const trade = book.existing(biz);
    const ids = { trade_no: trade.tradeNo, out_trade_no: trade.outTradeNo };
    if (typeof biz.out_request_no !== 'string') throw invalid('out_request_no: needed');
    const refund = trade.refunds.find(({ outRequestNo }) => outRequestNo === biz.out_request_no);
    // An answer without a status means that there is no such refund.
    if (!refund) return ids;
    return {
      ...ids,
      out_request_no: refund.outRequestNo,
      total_amount: yuanOf(trade.fen),
      refund_amount: yuanOf(refund.fen),
      refund_status: 'REFUND_SUCCESS',
    };
  },
};

export const nameOfPath = (path: string): string => path.replace(/^\/v3\//, '').replaceAll('/', '.');

/** @throws AlipayFault when Alipay refuses the call */
export function callOf(name: string): AlipayCall {
  if (!Object.hasOwn(calls, name)) throw new AlipayFault('invalid-method', `no such method: ${name}`, 404);
  return calls[name]!;
}
