import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { readBehave } from '../machine/behaviors.js';
import type { AlipayParts } from './api.js';
import { AlipayFault, faultsOfAlipay } from './faults.js';
import type { StoredTrade } from './trade.js';

const AHEAD_MAX_MS = 365 * 86_400_000;

/** The control API of the dialect, for tests and people: the trades, the payer, and faults. */
export function alipayControl(parts: AlipayParts): Router {
  const router = Router();
  router.use(express.json({ limit: '4kb' }));
  router.get('/trades', (request, response) => {
    const { out_trade_no: number, reference } = request.query;
    const wanted = typeof number === 'string' ? number : numberOf(reference);
    const trade = wanted === null ? null : parts.book.find(wanted);
    const trades = wanted === null ? parts.book.newest(100) : trade ? [trade] : [];
    response.json({ trades: trades.map((one) => inspect(parts, one)) });
  });
  router.post('/scan', (request, response) => {
    const number = numberOf((request.body as { out_trade_no?: unknown } | undefined)?.out_trade_no);
    if (number === null) return wrong(response, 'out_trade_no: must be a text');
    response.json(
      inspect(
        parts,
        parts.store.change(() => parts.book.scan(number)),
      ),
    );
  });
  router.post('/pay', (request, response) => {
    const { out_trade_no, reference, amount } = (request.body ?? {}) as Record<string, unknown>;
    const number = numberOf(out_trade_no ?? reference);
    if (number === null) return wrong(response, 'out_trade_no: must be a text');
    if (amount !== undefined && !(Number.isSafeInteger(amount) && (amount as number) > 0))
      return wrong(response, 'amount: must be a number of minor units');
    const fen = amount as number | undefined;
    response.json(
      inspect(
        parts,
        parts.store.change(() => parts.book.pay(number, fen)),
      ),
    );
  });
  router.post('/behave', (request, response) => {
    const behave = readBehave(request.body, faultsOfAlipay);
    if (typeof behave === 'string') return wrong(response, behave);
    parts.behaviors.add(behave.fault, behave.times, numberOf(behave.reference));
    response.json({ scenario: behave.fault, times: behave.times, reference: behave.reference });
  });
  router.post('/clock', (request, response) => setClock(parts, request, response));
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof AlipayFault)) return next(error);
    const status = error.code === 'ACQ.TRADE_NOT_EXIST' ? 404 : 409;
    response.status(status).json({ code: error.code, message: error.message });
  });
  return router;
}

/** Moves the clock of bills ahead, so that a day counts as over. */
function setClock({ bills }: AlipayParts, { body }: Request, response: Response): void {
  const { aheadMs } = (body ?? {}) as { aheadMs?: unknown };
  if (!(Number.isInteger(aheadMs) && (aheadMs as number) >= 0 && (aheadMs as number) <= AHEAD_MAX_MS)) {
    wrong(response, 'aheadMs: must be a number of milliseconds, a year at most');
    return;
  }
  bills.aheadMs = aheadMs as number;
  response.json({ aheadMs });
}

/** The merchant's number of a reference: our ids go out without dashes. */
const numberOf = (given: unknown): string | null =>
  typeof given === 'string' ? given.replaceAll('-', '') : null;

function wrong(response: Response, message: string): void {
  response.status(400).json({ code: 'invalid_parameter', message });
}

const inspect = ({ notifications }: AlipayParts, trade: StoredTrade) => ({
  out_trade_no: trade.outTradeNo,
  trade_no: trade.tradeNo,
  trade_status: trade.status,
  subject: trade.subject,
  amount: trade.fen,
  currency: 'CNY',
  qr_code: trade.qrCode,
  refunds: trade.refunds.map(({ outRequestNo, fen, atMs }) => ({
    out_request_no: outRequestNo,
    amount: fen,
    at: new Date(atMs).toISOString(),
  })),
  notifications: notifications
    .of(trade.outTradeNo)
    .map(({ id, attempts, taken }) => ({ notify_id: id, attempts, taken })),
  at: new Date(trade.createdMs).toISOString(),
});
