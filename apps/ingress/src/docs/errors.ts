import { type Code, codes } from '../http/answers/problem.js';

export type ErrorPage = Readonly<{ status: string; title: string; meaning: string; remedy: string }>;
type ErrorTexts = Readonly<{ meaning: string; remedy: string }>;

const words: Record<Code, ErrorTexts> = {
  INVALID_ARGUMENT: {
    meaning:
      'A field is missing, wrong or unknown, or the body cannot be read. `errors` names each field. Status 413: the body is too large. 415: its media type or encoding is not supported. 431: the headers are too large. 417: an `Expect` that is not supported. 408: the request did not arrive in time.',
    remedy:
      'Correct the named fields and send again. The idempotency key is not used up. Repeating the same request changes nothing.',
  },
  UNAUTHENTICATED: {
    meaning:
      'The caller could not be identified: the key is unknown or revoked, the secret or signature is wrong, the timestamp is outside its window, or the nonce was used before.',
    remedy:
      'Check the key, the clock of your machine and the canonical string (outside production, the page `/docs/signature` compares it). A repeated request needs a new timestamp, nonce and signature, with the same idempotency key.',
  },
  UNAUTHORIZED: {
    meaning:
      'The key is valid but may not do this: it lacks the scope, does not cover the account, or the amount is above its ceiling.',
    remedy: 'Use a key that has the scope and covers the account, or ask the operator for one.',
  },
  NOT_FOUND: {
    meaning: 'There is no such recharge or route. A recharge of another client gives the same answer.',
    remedy: 'Check the transactionId and the path, and that the key belongs to the client that asked for it.',
  },
  DUPLICATE_REQUEST: {
    meaning:
      'The idempotency key was used before, with another account, amount, currency or other field, or for another verb.',
    remedy:
      'For a new recharge take a new key. To repeat the first one, send it as it was: format and order do not matter.',
  },
  INVALID_STATE: {
    meaning:
      'The present state of the recharge, plan, rule, case or endpoint does not allow this. A recharge, for example, was sent to the provider already, or it is final. `detail` says why.',
    remedy: 'Read it again and act on its status. Repeating the call does not help.',
  },
  INSUFFICIENT_BALANCE: {
    meaning: "The recharge is paid from the account's balance, and what is available does not cover it.",
    remedy:
      'Add money to the account or lower the amount, then send again. The idempotency key is not used up.',
  },
  RATE_LIMITED: {
    meaning:
      'The client made more requests in a minute than it may, or more recharges were asked for the account. `detail` says which. Nothing was done.',
    remedy: 'Wait as many seconds as `Retry-After` says, then repeat with the same idempotency key.',
  },
  INTERNAL_ERROR: {
    meaning:
      'An unexpected error on our side. Status 503: the service is overloaded or its database does not answer; it recovers without you. Whether the request was stored is not certain.',
    remedy:
      'Repeat with the same idempotency key after `Retry-After`, or with growing gaps. If it lasts, send us the correlationId.',
  },
};

/** Codes that are not the code of an HTTP error. They appear in `failure` of a recharge, or in its timeline. */
const inRecharges: Readonly<Record<string, ErrorPage>> = {
  PAYMENT_FAILED: {
    status: 'in failure.code',
    title: 'The provider declined the payment',
    meaning:
      'The provider took the order and declined it. The account was not credited. The recharge stays failed. If the provider reports money for it later, the account is still not credited, and a person looks into it.',
    remedy: 'Clear up the reason with the payer. A new attempt is a new recharge with a new idempotency key.',
  },
  PROVIDER_ERROR: {
    status: 'in failure.code',
    title: 'The provider refused the order',
    meaning:
      'The provider did not accept our order, for instance because it does not know a parameter. The account was not credited.',
    remedy: 'Read failure.message. Correct the request and send it with a new idempotency key.',
  },
  TIMEOUT: {
    status: 'in the timeline',
    title: 'The provider did not answer in time',
    meaning:
      'It is not known yet whether the money moved. This is never final: the recharge stays in_progress, and we ask the provider until it says.',
    remedy:
      'Wait with `Prefer: wait=30`, or read the recharge now and then. Never send the same recharge with a new key.',
  },
};

export const errorPages: ReadonlyMap<string, ErrorPage> = new Map([
  ...(Object.keys(codes) as Code[]).map(
    (code) =>
      [code, { status: String(codes[code].status), title: codes[code].title, ...words[code] }] as const,
  ),
  ...Object.entries(inRecharges),
]);
