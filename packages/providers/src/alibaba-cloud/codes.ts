import type { NoDefiniteAnswer } from '../contract/order.js';

/** What a code of the provider says about the call that it answers. */
export type CodeMeaning = Readonly<{ kind: 'rejected'; code: string; message: string }> | NoDefiniteAnswer;

/** The codes that mean: refused for good, and nothing moved. The list is closed, because an unlisted code may be new. */
const definite: ReadonlySet<string> = new Set([
  'MissingParameter',
  'InvalidParameter',
  'ParameterError',
  'AccountNotExist',
  'NoFundAccountPermission',
  // The partners' operations: no such customer, frozen, no number.
  ...['-304', 'InvalidParam.Uid.NotYourEu', 'Error3040', '3040', '3041'],
]);

/**
 * The codes of a key, a clock or a right that is wrong. The gateway refuses the call before it reaches the operation. An
 * operator can mend it, so the order waits.
 */
const ofTheKey: ReadonlySet<string> = new Set([
  ...['InvalidAccessKeyId.NotFound', 'InvalidAccessKeyId.Inactive', 'SignatureDoesNotMatch'],
  ...['IncompleteSignature', 'InvalidTimeStamp.Format', 'InvalidTimeStamp.Expired', 'Forbidden.RAM'],
  ...['NoPermission', 'NotAuthorized', 'NotApplicable', 'AuthSiteFail'],
]);

/** Whether the code says that the key, or its token, is not valid any more. */
export const isOfStaleKey = (code: string): boolean =>
  /^(InvalidSecurityToken|InvalidAccessKeyId)\.|^SignatureDoesNotMatch$/.test(code);

/** The codes for a fund account or a customer that does not exist. An order to it is refused each time. */
export const goneCodes: readonly string[] = ['AccountNotExist', '-304', 'InvalidParam.Uid.NotYourEu'];

export const NOT_ENOUGH = 'AvailableTransferAmountNotEnough';
// The wait when the account that pays lacks money, which has to arrive first. It is longer than the guard's budget, so
// the guard does not try again at once.
const FUNDS_AFTER_MS = 30_000;
// The longest wait for a rate limit, as for HTTP's Retry-After.
const RETRY_AFTER_MAX_MS = 60_000;

export type RefusedCall = Readonly<{
  status: number;
  code: string;
  message: string;
  retryAfterMs?: number | undefined;
}>;

/** The meaning of a refused call. A code that no list has is `unknown`: SignatureNonceUsed is one, since it means that a
 * copy of the request arrived before. */
export function meaningOfCode({ status, code, message, retryAfterMs }: RefusedCall): CodeMeaning {
  if (/^Throttling(\.|$)/.test(code)) {
    const wait = retryAfterMs === undefined ? {} : { retryAfterMs: bounded(retryAfterMs) };
    return { kind: 'not_executed', cause: 'rate_limited', ...wait };
  }
  if (status >= 500) return { kind: 'unknown', cause: 'server_error', ...named(code) };
  if (code === NOT_ENOUGH)
    return { kind: 'not_executed', cause: 'source_funds', retryAfterMs: FUNDS_AFTER_MS };
  if (ofTheKey.has(code) || code.startsWith('InvalidSecurityToken.'))
    return { kind: 'not_executed', cause: 'unavailable', ...named(code) };
  if (definite.has(code) || code.startsWith('InvalidParameter.')) return { kind: 'rejected', code, message };
  return { kind: 'unknown', cause: 'unreadable', ...named(code) };
}

const bounded = (waitMs: number): number => Math.min(Math.max(waitMs, 0), RETRY_AFTER_MAX_MS);

const named = (code: string): { code?: string } => (/^[\x21-\x7e]{1,64}$/.test(code) ? { code } : {});
