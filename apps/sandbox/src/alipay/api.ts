import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { Behaviors } from '../machine/behaviors.js';
import { BILL_PATH, BILL_QUERY, type Bills } from './bills/bills.js';
import { callOf, nameOfPath } from './calls.js';
import { type AlipayBehavior, AlipayFault } from './faults.js';
import type { AlipayKeys } from './keys.js';
import type { BizContent, TradeBook } from './machine.js';
import type { Notifications } from './notifications.js';
import { payPage } from './page.js';
import { answerHeaders, isRsa2, readAuthorization, rsa2, signedText } from './signature.js';
import type { AlipayStore } from './store.js';

export type AlipayParts = Readonly<{
  store: AlipayStore;
  book: TradeBook;
  bills: Bills;
  behaviors: Behaviors<AlipayBehavior>;
  notifications: Notifications;
  keys: AlipayKeys;
  appId: string;
}>;

// Alipay refuses a request that is older than ten minutes.
const WINDOW_MS = 10 * 60_000;

/** The routes of both versions of Alipay's gateway, and the page on which a payer pays. */
export function alipayApi(parts: AlipayParts): Router {
  const router = Router();
  const isFresh = nonceBook();
  router.use(express.text({ type: () => true, limit: '64kb' }));
  router.use('/v3', (request, response) => {
    const answer = answerV3(parts, request, isFresh);
    give(response, answer, (body) => answerHeaders(body, parts.keys.alipayPrivateKey));
  });
  router.all('/gateway.do', (request, response) => {
    const params = paramsOf(request);
    if (params.method === 'alipay.trade.page.pay') return void openPage(parts, params, response);
    const answer = answerV2(parts, params, request.get('host') ?? '');
    give(response, answer, () => ({}));
  });
  router.get(BILL_PATH, (request, response) => parts.bills.serve(request, response));
  router.post('/pay/:outTradeNo', (request, response) => {
    parts.store.change(() => parts.book.pay(String(request.params.outTradeNo)));
    response.type('html').send('<!doctype html><title>Paid</title><h1>Paid</h1>');
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (!(error instanceof AlipayFault)) return next(error);
    response.status(error.status).type('html').send(`<!doctype html><h1>${error.code}</h1>`);
  });
  return router;
}

type AlipayAnswer = Readonly<{ status: number; body: string; fault: AlipayBehavior | null }>;

function answerV3(parts: AlipayParts, request: Request, isFresh: (nonce: string) => boolean): AlipayAnswer {
  const text = typeof request.body === 'string' ? request.body : '';
  try {
    checkV3(parts, request, text, isFresh);
    const given = request.method === 'GET' ? request.query : JSON.parse(text === '' ? '{}' : text);
    const biz = given as BizContent & { notify_url?: unknown };
    const path = request.originalUrl.split('?')[0] ?? '';
    const call = { name: nameOfPath(path), biz, notifyUrl: notifyUrlOf(biz.notify_url) };
    const { result, fault } = execute(parts, call, request.get('host') ?? '');
    return { status: 200, body: JSON.stringify(result), fault };
  } catch (error) {
    const { status, code, message } = faultOf(error);
    return { status, body: JSON.stringify({ code, message, links: [] }), fault: null };
  }
}

function checkV3(
  { appId, keys }: AlipayParts,
  request: Request,
  body: string,
  isFresh: (nonce: string) => boolean,
): void {
  const given = readAuthorization(request.get('authorization') ?? '');
  if (!given) throw new AlipayFault('missing-signature', 'the header Authorization is missing or malformed');
  if (given.appId !== appId) throw new AlipayFault('invalid-app-id', 'no such app');
  if (!(Math.abs(Date.now() - given.timestampMs) <= WINDOW_MS))
    throw new AlipayFault('invalid-timestamp', 'the timestamp is older than ten minutes');
  const text = `${given.signed}\n${request.method}\n${request.originalUrl}\n${body}\n`;
  if (!isRsa2(text, given.signature, keys.appPublicKey))
    throw new AlipayFault('invalid-signature', 'the signature is not right');
  if (!isFresh(given.nonce)) throw new AlipayFault('invalid-nonce', 'the nonce was used before');
}

/** Remembers nonces for as long as a request with them would be accepted. */
function nonceBook(): (nonce: string) => boolean {
  const usedAtMs = new Map<string, number>();
  return (nonce) => {
    const nowMs = Date.now();
    for (const [old, atMs] of usedAtMs) {
      if (nowMs - atMs <= 2 * WINDOW_MS) break;
      usedAtMs.delete(old);
    }
    if (nonce === '' || usedAtMs.has(nonce)) return false;
    usedAtMs.set(nonce, nowMs);
    return true;
  };
}

type GivenCall = Readonly<{ name: string; biz: BizContent; notifyUrl: string | null }>;

/** Runs a call, and picks the fault of its answer. `host`: where the caller found this server. */
function execute(parts: AlipayParts, { name, biz, notifyUrl }: GivenCall, host: string) {
  if (name === BILL_QUERY)
    return { result: parts.store.change(() => parts.bills.addressOf(biz, host)), fault: null };
  const call = callOf(name);
  const outTradeNo = typeof biz.out_trade_no === 'string' ? biz.out_trade_no : null;
  if (parts.behaviors.take(['throttled'], outTradeNo))
    throw new AlipayFault('app-call-limited', 'too many calls', 429);
  const creates = name === 'alipay.trade.precreate' || name === 'alipay.trade.refund';
  const fault = creates ? parts.behaviors.take(answerFaults, outTradeNo) : null;
  if (fault === 'timeout_before_create') return { result: {}, fault };
  return { result: parts.store.change(() => call(parts.book, biz, notifyUrl)), fault };
}

const answerFaults: readonly AlipayBehavior[] = [
  'timeout_before_create',
  'timeout_after_create',
  'reset_after_create',
  'server_error_after_create',
  'html_answer',
  'unsigned_answer',
];

function answerV2(parts: AlipayParts, params: Readonly<Record<string, string>>, host: string): AlipayAnswer {
  const node = `${(params.method ?? 'error').replaceAll('.', '_')}_response`;
  const signed = (content: object, fault: AlipayBehavior | null): AlipayAnswer => {
    const text = JSON.stringify(content);
    const sign = rsa2(text, parts.keys.alipayPrivateKey);
    return { status: 200, body: `{"${node}":${text},"sign":"${sign}"}`, fault };
  };
  try {
    checkV2(parts, params);
    const biz = JSON.parse(params.biz_content ?? '{}') as BizContent;
    const call = { name: params.method ?? '', biz, notifyUrl: notifyUrlOf(params.notify_url) };
    const { result, fault } = execute(parts, call, host);
    return signed({ code: '10000', msg: 'Success', ...result }, fault);
  } catch (error) {
    const { status, code, message } = faultOf(error);
    const number = /^(ACQ|isp)\./.test(code) ? '40004' : status === 429 ? '40005' : '40002';
    const msg = number === '40004' ? 'Business Failed' : 'Invalid Arguments';
    return signed({ code: number, msg, sub_code: code, sub_msg: message }, null);
  }
}

function checkV2({ appId, keys }: AlipayParts, params: Readonly<Record<string, string>>): void {
  if (params.app_id !== appId) throw new AlipayFault('isv.invalid-app-id', 'no such app');
  if (params.sign_type !== 'RSA2') throw new AlipayFault('isv.invalid-signature-type', 'RSA2 is needed');
  const text = signedText(params, ['sign']);
  if (!isRsa2(text, params.sign ?? '', keys.appPublicKey))
    throw new AlipayFault('isv.invalid-signature', 'the signature is not right');
}

/** The payer opens the page: only now the trade exists. */
function openPage(parts: AlipayParts, params: Readonly<Record<string, string>>, response: Response): void {
  checkV2(parts, params);
  const biz = JSON.parse(params.biz_content ?? '{}') as BizContent;
  const notifyUrl = notifyUrlOf(params.notify_url);
  const trade = parts.store.change(() => parts.book.open(biz, notifyUrl, 'WAIT_BUYER_PAY'));
  response.type('html').send(payPage(trade));
}

function give(
  response: Response,
  { status, body, fault }: AlipayAnswer,
  headersOf: (body: string) => Record<string, string>,
): unknown {
  switch (fault) {
    case 'timeout_before_create':
    case 'timeout_after_create':
      // The connection stays open until the caller or this process ends it.
      return;
    case 'reset_after_create':
      return response.socket?.resetAndDestroy();
    case 'server_error_after_create':
      return answer(response, 500, '{"code":"unknow-error","message":"unknown error"}', headersOf);
    case 'html_answer':
      return response.status(502).type('html').send('<h1>Bad gateway</h1>');
    case 'unsigned_answer':
      return answer(response, status, body, () => ({}));
    default:
      return answer(response, status, body, headersOf);
  }
}

function answer(
  response: Response,
  status: number,
  body: string,
  headersOf: (body: string) => Record<string, string>,
): void {
  response.status(status).type('application/json').set(headersOf(body)).send(body);
}

const paramsOf = (request: Request): Record<string, string> => {
  const query = new URLSearchParams(request.originalUrl.split('?')[1] ?? '');
  const form = new URLSearchParams(typeof request.body === 'string' ? request.body : '');
  return Object.fromEntries([...query, ...form]);
};

const notifyUrlOf = (given: unknown): string | null =>
  typeof given === 'string' && /^https?:\/\//.test(given) ? given : null;

function faultOf(error: unknown): AlipayFault {
  if (error instanceof AlipayFault) return error;
  if (error instanceof SyntaxError) return new AlipayFault('invalid-json', 'the body is not JSON');
  throw error;
}
