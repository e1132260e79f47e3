import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Outage } from '../machine/outage.js';
import { errorAnswer, type GatewayError, gatewayError, type RpcAnswer, writeAnswer } from './answers.js';
import type { Behaviour, Behaviours } from './behaviours.js';
import type { Nonces } from './nonces.js';
import { type FundAccounts, OTHER_ACCOUNT, SOURCE_ACCOUNT } from './operations/fund-accounts.js';
import { type CloudOperation, operationOf, subjectOf } from './operations/operations.js';
import { refusal } from './operations/transfer-operations.js';
import { type RpcCall, type RpcRequest, verifyRequest } from './signature.js';
import type { CloudStore } from './store.js';
import type { CallLimit } from './throttle.js';

export type CloudParts = Readonly<{
  store: CloudStore;
  accounts: FundAccounts;
  behaviours: Behaviours;
  nonces: Nonces;
  limit: CallLimit;
  secretOf: (accessKeyId: string) => string | undefined;
  outage: Outage;
  slowAnswerMs: number;
  /** The time after which the transaction list shows a transfer. */
  visibleAfterMs: number;
  closing: AbortSignal;
  onError: (error: unknown) => void;
}>;

type CloudReply = RpcAnswer | GatewayError | 'silence' | 'reset' | 'html';

/** The HTTP server of Alibaba Cloud's gateway. Every operation has the path `/`. */
export function gatewayServer(parts: CloudParts): Server {
  return createServer(async (request, response) => {
    try {
      const reply = await replyTo(parts, await received(request));
      if (parts.outage.mode === 'slow')
        await delay(parts.slowAnswerMs, undefined, { signal: parts.closing }).catch(() => {});
      send(response, reply);
    } catch (error) {
      if (request.destroyed) return;
      parts.onError(error);
      send(response, gatewayError(500, 'InternalError', 'unexpected error; see the log of the sandbox'));
    }
  });
}

// A form of an operation has under 2 KB.
const BODY_LIMIT_BYTES = 64 * 1024;

async function received(request: IncomingMessage): Promise<RpcRequest> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) request.destroy();
    chunks.push(chunk);
  }
  const { method = '', url = '/', headers } = request;
  return { method, url, headers, body: Buffer.concat(chunks) };
}

async function replyTo(parts: CloudParts, request: RpcRequest): Promise<CloudReply> {
  if (parts.outage.mode === 'down') return 'reset';
  if (parts.outage.mode === 'errors')
    return gatewayError(500, 'InternalError', 'The request processing has failed.');
  const nowMs = Date.now();
  const { secretOf, nonces } = parts;
  const takeNonce = (accessKeyId: string, nonce: string) => nonces.take(accessKeyId, nonce, nowMs);
  const verified = verifyRequest(request, { secretOf, nowMs, takeNonce });
  if ('error' in verified) return verified.error;
  const { call } = verified;
  const operation = operationOf(call);
  if ('code' in operation) return operation;
  const subject = subjectOf(operation, call.params);
  if (operation.writesTo) return replyToWrite(parts, operation, call, parts.behaviours.takeForWrite(subject));
  if (operation.lists) {
    if (!parts.limit.admits(call.action, nowMs)) return throttled;
    const fault = parts.behaviours.takeForList(subject);
    if (fault?.scenario === 'list_throttled') return throttled;
    if (fault?.scenario === 'list_moves') await moveRows(parts, call, nowMs);
  }
  return execute(parts, operation, call, 0);
}

async function replyToWrite(
  parts: CloudParts,
  operation: CloudOperation,
  call: RpcCall,
  fault: Behaviour | undefined,
): Promise<CloudReply> {
  if (fault?.scenario === 'timeout_before_transfer') return 'silence';
  if (fault?.scenario === 'throttled') return throttled;
  if (fault?.scenario === 'not_enough') return refusal('AvailableTransferAmountNotEnough');
  const answer = await execute(
    parts,
    operation,
    call,
    fault?.scenario === 'visible_late' ? fault.delayMs : 0,
  );
  switch (fault?.scenario) {
    case 'timeout_after_transfer':
      return 'silence';
    case 'reset_after_transfer':
      return 'reset';
    case 'server_error_after_transfer':
      return gatewayError(
        500,
        'InternalError',
        'The request processing has failed due to some unknown error.',
      );
    case 'html_answer':
      return 'html';
    default:
      return answer;
  }
}

function execute(parts: CloudParts, operation: CloudOperation, call: RpcCall, lateMs: number) {
  const { store, accounts, visibleAfterMs } = parts;
  const context = { store, accounts, nowMs: Date.now(), visibleAfterMs: visibleAfterMs + lateMs };
  return operation.run(context, call.params);
}

/**
 * Lets a transfer of the listed window become visible before each page but the first. The rows of the later pages then
 * move by one.
 */
async function moveRows({ accounts }: CloudParts, { params }: RpcCall, nowMs: number): Promise<void> {
  const page = Number(params.get('CurrentPage') ?? params.get('PageNum') ?? 1);
  const account = accounts.get(params.get('FundAccountId') ?? SOURCE_ACCOUNT);
  const [currency] = Object.keys(account?.books ?? {});
  if (page === 1 || !account || currency === undefined) return;
  const endMs = Number(params.get('EndTime') ?? nowMs);
  const command = { from: account.id, to: OTHER_ACCOUNT, amount: 1n, currency, kind: 'grant' } as const;
  await accounts.transfer({ ...command, remark: 'list_moves' }, Math.min(endMs, nowMs), 0);
}

const throttled: GatewayError = {
  ...gatewayError(400, 'Throttling.User', 'Request was denied due to user flow control.'),
  headers: { 'x-acs-retry-after': '1000' },
};

function send(response: ServerResponse, reply: CloudReply): void {
  // For `silence` the connection stays open until the caller or this process ends it.
  if (reply === 'silence' || response.destroyed) return;
  if (reply === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (reply === 'html') {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Bad gateway</body></html>');
    return;
  }
  const { status, headers, body } = 'body' in reply ? reply : errorAnswer(reply);
  const type = { 'content-type': 'application/json;charset=utf-8' };
  response.writeHead(status, { ...type, ...headers }).end(writeAnswer(body));
}
