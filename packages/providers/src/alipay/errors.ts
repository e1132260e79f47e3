import type { CallFacts, NoDefiniteAnswer } from '../contract/order.js';
import type { SdkCall } from '../transport/sdk-call.js';

type AlipayFailure = Readonly<{ code?: unknown; message?: string; responseHttpStatus?: number }>;

/** Alipay's code of an error, without the prefix that V2 and V3 do not agree on. Null when it has none. */
export function codeOf(error: unknown): string | null {
  const { code, responseHttpStatus } = (error ?? {}) as AlipayFailure;
  // A code without a status is that of an error of the SDK itself, or of the connection.
  if (typeof code !== 'string' || responseHttpStatus === undefined) return null;
  const bare = code.replace(/^ACQ\./, '');
  return /^[\x21-\x7e]{1,64}$/.test(bare) ? bare : null;
}

export const factsOf = (call: SdkCall, error?: unknown): CallFacts => ({
  httpStatus: call.status,
  providerCode: codeOf(error),
});

/**
 * The codes that certainly mean that nothing was done for good. Any other is unknown: a wrong "no" gives back money that
 * Alipay has moved.
 */
const refusals: ReadonlySet<string> = new Set([
  ...['INVALID_PARAMETER', 'TOTAL_FEE_EXCEED', 'BUYER_SELLER_EQUAL', 'TRADE_BUYER_NOT_MATCH'],
  ...['SELLER_NOT_EXIST', 'missing-method', 'invalid-parameter'],
]);

/**
 * The codes that certainly mean that a refund was refused for good. For an order, some of these would say that its
 * trade was paid.
 */
export const refundRefusals: ReadonlySet<string> = new Set([
  ...refusals,
  ...['SELLER_BALANCE_NOT_ENOUGH', 'REFUND_AMT_NOT_EQUAL_TOTAL', 'REFUND_AMT_RESTRICTION'],
  ...['TRADE_NOT_ALLOW_REFUND', 'REASON_TRADE_REFUND_FEE_ERR', 'TRADE_HAS_FINISHED', 'TRADE_STATUS_ERROR'],
]);

/** The codes of a wrong key, a wrong app or a missing permission: nothing was executed. */
const credentials = new Set([
  ...['invalid-signature', 'invalid-app-id', 'missing-signature', 'invalid-timestamp', 'missing-timestamp'],
  ...['ACCESS_FORBIDDEN', 'PARTNER_ERROR', 'insufficient-isv-permissions', 'insufficient-user-permissions'],
]);

const limits = new Set(['app-call-limited', 'method-call-limited']);

export type AlipayRefusal = Readonly<{ kind: 'rejected'; code: string; message: string }>;

/** The outcome of a failed request that creates something. */
export function outcomeOfError(
  call: SdkCall,
  error: unknown,
  definite: ReadonlySet<string> = refusals,
): AlipayRefusal | NoDefiniteAnswer {
  const code = codeOf(error);
  if (code === null || !definite.has(code)) return noAnswerOf(call, error);
  const message = String((error as AlipayFailure).message ?? '').slice(0, 500);
  return { kind: 'rejected', code, message: message.replace(/[\p{Cc}\p{Cs}]/gu, ' ') };
}

/** The outcome of a failed request whose error says nothing definite about an order. */
export function noAnswerOf(call: SdkCall, error: unknown): NoDefiniteAnswer {
  const code = codeOf(error);
  if (call.status === null) return call.noAnswer();
  if (code === null)
    // Not JSON, cut short, or an answer whose signature is missing or wrong.
    return call.status >= 500 ? { kind: 'unknown', cause: 'server_error' } : unreadableOf(call);
  if (limits.has(code)) return { kind: 'not_executed', cause: 'rate_limited' };
  if (credentials.has(code)) return { kind: 'not_executed', cause: 'unavailable' };
  return { kind: 'unknown', cause: call.status >= 500 ? 'server_error' : 'unreadable', code };
}

function unreadableOf(call: SdkCall): NoDefiniteAnswer {
  const outcome = call.noAnswer();
  return outcome.kind === 'not_executed' ? { kind: 'unknown', cause: 'unreadable' } : outcome;
}
