import type CoreModule from '@alicloud/openapi-core';
import { traceHeaders } from '@replenish/runtime/traces';
import { parse } from 'lossless-json';
import type { CallFacts, NoDefiniteAnswer } from '../contract/order.js';
import { withHttpLimits } from '../transport/http-limits.js';
import { CloudClock, isRefusedForTime } from './clock.js';
import { isOfStaleKey, type RefusedCall } from './codes.js';

/** The keys of an account. Temporary ones have a token and change together. */
export type CloudKeys = Pick<CloudAccess, 'accessKeyId' | 'accessKeySecret' | 'securityToken'>;

/** The access to one account of Alibaba Cloud. */
export type CloudAccess = Readonly<{
  accessKeyId: string;
  accessKeySecret: string;
  securityToken?: string | undefined;
  /** Reads the keys again where they are kept in files. Missing: they do not change while the process runs. */
  renew?: () => CloudKeys;
  /** `host` or `host:port`, or an address with its scheme. Without a scheme it is https. */
  endpoint: string;
  timeoutMs: number;
}>;

export type RpcOperation = Readonly<{
  version: string;
  action: string;
  query?: Readonly<Record<string, string>>;
  form?: Readonly<Record<string, string>>;
}>;

/** One call of an operation. `json` has its numbers as strings, because ids exceed 2^53. */
export type RpcExchange =
  | Readonly<{ kind: 'answered'; json: unknown }>
  | (Readonly<{ kind: 'refused' }> & RefusedCall)
  | Readonly<{ kind: 'unanswered'; outcome: NoDefiniteAnswer }>;

export interface CloudRpc {
  /** Makes one call, without a retry. @throws only when the call could not be made at all, which is a bug */
  call(operation: RpcOperation, signal: AbortSignal): Promise<RpcExchange>;
}

// A page of the transaction list has 200 rows of under 1 KB.
const ANSWER_MAX_BYTES = 1024 * 1024;

/**
 * The SDK's generic client. It is loaded at the first call: a process that never calls does not pay for it.
 *
 * @param clock corrects the dates of the calls. Null: ours is used as it is
 */
export function openRpc(access: CloudAccess, clock: CloudClock | null = new CloudClock()): CloudRpc {
  let loaded: Promise<Loaded> | undefined;
  let current = access;
  // The next call is made with the keys as they are now. Nothing was executed, so the guard makes it soon.
  const renewAfter = (exchange: RpcExchange): void => {
    if (exchange.kind !== 'refused' || !isOfStaleKey(exchange.code) || !access.renew) return;
    const keys = access.renew();
    if (isSameKeys(keys, current)) return;
    current = { ...current, ...keys };
    loaded = undefined;
  };
  return {
    async call(operation, signal) {
      if (signal.aborted) return unanswered({ kind: 'not_executed', cause: 'unreachable' });
      loaded ??= load(current);
      const sdk = await loaded;
      // Loading the SDK took time, and nothing was sent in it.
      if (signal.aborted) return unanswered({ kind: 'not_executed', cause: 'unreachable' });
      let date: string | undefined;
      const hear = (headers: Readonly<{ date?: string | undefined }>) => {
        date = headers.date;
      };
      const limits = { answerMaxBytes: ANSWER_MAX_BYTES, signal, hear };
      const sent = withHttpLimits(limits, () =>
        send(sdk, operation, access.timeoutMs, clock?.headers() ?? {}),
      );
      const exchange = await untilAborted(sent, signal);
      if (exchange.kind === 'refused' && isRefusedForTime(exchange.code)) clock?.learn(date);
      renewAfter(exchange);
      return exchange;
    },
  };
}

const isSameKeys = (one: CloudKeys, other: CloudKeys): boolean => textOf(one) === textOf(other);

const textOf = ({ accessKeyId, accessKeySecret, securityToken }: CloudKeys): string =>
  JSON.stringify([accessKeyId, accessKeySecret, securityToken]);

export const factsOfExchange = (exchange: RpcExchange): CallFacts => ({
  httpStatus: exchange.kind === 'answered' ? 200 : exchange.kind === 'refused' ? exchange.status : null,
  providerCode: exchange.kind === 'refused' ? exchange.code : null,
});

type SdkClient = InstanceType<typeof CoreModule.default>;
type Loaded = Readonly<{ core: typeof import('@alicloud/openapi-core'); client: SdkClient }>;

async function load(access: CloudAccess): Promise<Loaded> {
  const { default: module } = await import('@alicloud/openapi-core');
  return { core: module as never, client: new module.default(configOf(module.$OpenApiUtil, access)) };
}

type Util = typeof CoreModule.$OpenApiUtil;

/** The SDK's configuration. It has no retry options, so the SDK calls once. */
export function configOf(
  { Config }: Pick<Util, 'Config'>,
  access: CloudAccess,
): InstanceType<Util['Config']> {
  const { accessKeyId, accessKeySecret, securityToken, endpoint, timeoutMs } = access;
  const [, scheme = 'https', host = ''] = /^(?:(https?):\/\/)?([^/]+)\/*$/.exec(endpoint) ?? [];
  if (host === '') throw new RangeError('the endpoint of Alibaba Cloud is no host');
  return new Config({
    ...{ accessKeyId, accessKeySecret, endpoint: host, protocol: scheme },
    ...(securityToken === undefined ? {} : { securityToken }),
    // Equal limits: the SDK also uses the connect limit as the limit of a silent socket.
    ...{ readTimeout: timeoutMs, connectTimeout: timeoutMs },
  });
}

async function send(
  { core, client }: Loaded,
  operation: RpcOperation,
  timeoutMs: number,
  headers: Readonly<Record<string, string>>,
): Promise<RpcExchange> {
  const { Params, OpenApiRequest } = core.$OpenApiUtil;
  const { RuntimeOptions } = (await import('@darabonba/typescript')).default;
  const { action, version, query = {}, form } = operation;
  const params = new Params({
    ...{ action, version, protocol: 'HTTPS', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC' },
    // The raw text: the SDK's own parser rounds ids.
    ...{ reqBodyType: 'formData', bodyType: 'string' },
  });
  const request = new OpenApiRequest({
    headers: { ...traceHeaders(), ...headers },
    query,
    ...(form ? { body: form } : {}),
  });
  const limits = new RuntimeOptions({ readTimeout: timeoutMs, connectTimeout: timeoutMs });
  try {
    const { statusCode, body } = await client.callApi(params, request, limits);
    return answerOf(statusCode, body);
  } catch (error) {
    return failureOf(error);
  }
}

const unanswered = (outcome: NoDefiniteAnswer): RpcExchange => ({ kind: 'unanswered', outcome });
const unreadable = unanswered({ kind: 'unknown', cause: 'unreadable' });

/** An answer below 400. It may still refuse: `Success` is false, or the code is one of an error. */
export function answerOf(status: unknown, body: unknown): RpcExchange {
  if (status !== 200 || typeof body !== 'string') return unreadable;
  let json: unknown;
  try {
    json = parse(body, undefined, { parseNumber: (text) => text });
  } catch {
    return unreadable;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return unreadable;
  const { Success, Code, Message } = json as Record<string, unknown>;
  const isRefused = Success === false || Success === 'false' || !isCodeOfSuccess(Code);
  if (!isRefused) return { kind: 'answered', json };
  return { kind: 'refused', status, code: String(Code ?? ''), message: String(Message ?? '') };
}

/** Operations answer `200` as a string or a number, or `Success`, or have no code. */
const isCodeOfSuccess = (code: unknown): boolean =>
  code === undefined || code === null || ['200', 'Success', 'success', 'OK'].includes(String(code));

// The only two codes that are raised before a connection exists.
const notSent: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND']);

type SdkError = Partial<Record<'name' | 'code' | 'statusCode' | 'message' | 'retryAfter', unknown>>;

/** The meaning of what the SDK threw. */
export function failureOf(error: unknown): RpcExchange {
  const { name, code, statusCode, message, retryAfter } = (error ?? {}) as SdkError;
  if (typeof statusCode === 'number') {
    const retryAfterMs = typeof retryAfter === 'number' ? retryAfter : undefined;
    // The SDK writes a missing code as this word.
    const known = code === 'undefined' ? '' : String(code ?? '');
    return { kind: 'refused', status: statusCode, code: known, message: String(message ?? ''), retryAfterMs };
  }
  if (notSent.has(code)) return unanswered({ kind: 'not_executed', cause: 'unreachable' });
  // The SDK raises "ConnectTimeout" also for requests that were delivered.
  if (name === 'RequestTimeoutError') return unanswered({ kind: 'unknown', cause: 'timeout' });
  if (name === 'SyntaxError' || name === 'TypeError') return unreadable;
  if (typeof code === 'string' && /^(E[A-Z]+|ERR_\w+|HPE_\w+)$/.test(code))
    return unanswered({ kind: 'unknown', cause: code.startsWith('HPE_') ? 'unreadable' : 'disconnected' });
  throw error;
}

/** The SDK takes no abort signal. A call that was sent before the abort may still be executed. */
function untilAborted(sending: Promise<RpcExchange>, signal: AbortSignal): Promise<RpcExchange> {
  return new Promise((resolve, reject) => {
    const abort = () => resolve(unanswered({ kind: 'unknown', cause: 'timeout' }));
    signal.addEventListener('abort', abort, { once: true });
    const end = () => signal.removeEventListener('abort', abort);
    sending.then(resolve, reject).finally(end);
  });
}
