import type { CallFacts, NoDefiniteAnswer } from '../contract/order.js';
import { retryAfterMsOf } from '../transport/http.js';
import type { SdkCall } from '../transport/sdk-call.js';

/** An error of the SDK, as far as it matters here. The SDK's classes are told apart by `type`. */
type StripeFailure = Readonly<{
  type?: string;
  code?: string;
  message?: string;
  statusCode?: number;
  headers?: Readonly<Record<string, string>>;
}>;

/** Stripe's documentation of decline codes: the holder of the card has to confirm the payment. */
export const payerCodes: readonly string[] = [
  'authentication_required',
  'payment_intent_authentication_failure',
];

/** The codes by which the card may not be charged again, from the same source. */
export const lostCardCodes: readonly string[] = [
  ...['expired_card', 'fraudulent', 'lost_card', 'pickup_card', 'restricted_card', 'stolen_card'],
  ...['revocation_of_all_authorizations', 'revocation_of_authorization'],
];

export type StripeRefusal = Readonly<{ kind: 'rejected'; code: string; message: string }>;

const printable = /^[\x21-\x7e]{1,64}$/;

/** Stripe's code of an error. Null when it has none. */
export const codeOf = (error: unknown): string | null => {
  const { code, type } = (error ?? {}) as StripeFailure;
  const text = code ?? (type === 'StripeIdempotencyError' ? 'idempotency_error' : null);
  return typeof text === 'string' && printable.test(text) ? text : null;
};

/** The facts of a request that are stored. */
export const factsOf = (call: SdkCall, error?: unknown): CallFacts => ({
  httpStatus: call.status,
  providerCode: codeOf(error),
});

/** The outcome of a failed request that creates something. `rejected` is certain: nothing was created. */
export function outcomeOfError(call: SdkCall, error: unknown, now: Date): StripeRefusal | NoDefiniteAnswer {
  const failure = (error ?? {}) as StripeFailure;
  const code = codeOf(error);
  if (isRefusal(failure, call))
    return {
      kind: 'rejected',
      code: code ?? 'invalid_request',
      message: (failure.message ?? '').slice(0, 500).replace(/[\p{Cc}\p{Cs}]/gu, ' '),
    };
  return withoutAnswer(call, failure, code, now);
}

/**
 * Whether Stripe refused the parameters. An `idempotency_error` is none: an object with our key and other parameters
 * exists, and a look-up shows it to a person.
 */
const isRefusal = ({ type, statusCode }: StripeFailure, call: SdkCall): boolean =>
  type === 'StripeInvalidRequestError' &&
  statusCode === call.status &&
  (statusCode === 400 || statusCode === 404);

/** The outcome of a failed request that reads. */
export const noAnswerOf = (call: SdkCall, error: unknown, now: Date): NoDefiniteAnswer =>
  withoutAnswer(call, (error ?? {}) as StripeFailure, codeOf(error), now);

function withoutAnswer(
  call: SdkCall,
  { type, statusCode, headers }: StripeFailure,
  code: string | null,
  now: Date,
): NoDefiniteAnswer {
  const named = code === null ? {} : { code };
  // Without `statusCode` the body was not Stripe's JSON. Then a proxy may have answered after Stripe executed it.
  if (call.status === null || statusCode === undefined) {
    const isServerError = call.status !== null && call.status >= 500;
    return isServerError ? { kind: 'unknown', cause: 'server_error' } : call.noAnswer();
  }
  if (type === 'StripeRateLimitError') {
    const retryAfterMs = retryAfterMsOf(headers?.['retry-after'], now);
    return {
      kind: 'not_executed',
      cause: 'rate_limited',
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  }
  // A wrong or withdrawn key executes nothing. The breaker opens and tells the operator.
  if (type === 'StripeAuthenticationError' || type === 'StripePermissionError')
    return { kind: 'not_executed', cause: 'unavailable' };
  if (statusCode < 500) return { kind: 'unknown', cause: 'unreadable', ...named };
  // Stripe keeps a 500 under its key and repeats it for 24 hours, so only a look-up tells what happened.
  const isStored = headers?.['idempotent-replayed'] === 'true';
  return { kind: 'unknown', cause: 'server_error', ...(isStored ? { code: 'stored_error' } : named) };
}
