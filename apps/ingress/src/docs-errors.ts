import { type Code, codes } from './problem.js';

export type ErrorPage = Readonly<{ status: string; title: string; meaning: string; remedy: string }>;
type Words = Readonly<{ meaning: string; remedy: string }>;

const words: Record<Code, Words> = {
  INVALID_ARGUMENT: {
    meaning:
      'A field is missing, wrong or unknown, or the body cannot be read. `errors` names each field. With status 413 the body is too large, with 415 its media type or encoding is not read, with 431 the headers are too large, with 417 there is an `Expect` that we do not meet, and with 408 the request did not arrive in time.',
    remedy:
      'Correct the named fields and send again. The idempotency key is not used up. Repeating the same request changes nothing.',
  },
  UNAUTHENTICATED: {
    meaning:
      'We do not know who calls: the key is unknown or revoked, the secret or signature does not fit, the timestamp is outside its window, or the nonce was seen before.',
    remedy:
      'Check the key, the clock of your machine and the canonical string. A repeated request needs a new timestamp, nonce and signature, with the same idempotency key.',
  },
  UNAUTHORIZED: {
    meaning:
      'We know who calls, and this key may not do it: a scope, the account or an amount is not its own.',
    remedy: 'Use a key that has the scope and covers the account, or ask the operator for one.',
  },
  NOT_FOUND: {
    meaning: "There is no such recharge or route. Another client's recharge is answered the same.",
    remedy: 'Check the transactionId and the path, and that the key belongs to the client that asked for it.',
  },
  DUPLICATE_REQUEST: {
    meaning: 'The idempotency key was used before, with another account, amount, currency or other field.',
    remedy:
      'For a new recharge take a new key. To repeat the first one, send it as it was: format and order do not matter.',
  },
  INVALID_STATE: {
    meaning:
      'The recharge is past the point where this is possible: it was sent to the provider, or is final.',
    remedy: 'Read the recharge and go by its status. Do not repeat the call.',
  },
  INSUFFICIENT_BALANCE: {
    meaning: "The recharge is paid from the account's balance, and what is available does not cover it.",
    remedy: 'Top the account up or ask for less, then send again. The idempotency key is not used up.',
  },
  RATE_LIMITED: {
    meaning:
      'The client made more requests in a minute than it may, or more recharges were asked for the account. `detail` says which. Nothing was done.',
    remedy: 'Wait as many seconds as `Retry-After` says, then repeat with the same idempotency key.',
  },
  INTERNAL_ERROR: {
    meaning:
      'Something is wrong on our side. With 503 a store does not answer; it heals without you. Whether the request was stored is not certain.',
    remedy:
      'Repeat with the same idempotency key after `Retry-After`, or with growing gaps. If it lasts, send us the correlationId.',
  },
};

/** Codes that no HTTP error carries: they are in `failure` of a recharge, or in its timeline. */
const inRecharges: Readonly<Record<string, ErrorPage>> = {
  PAYMENT_FAILED: {
    status: 'in failure.code',
    title: 'The provider declined the payment',
    meaning:
      'The provider took the order and declined it. No money moved. The recharge is failed, and stays so.',
    remedy: 'Settle the reason with the payer. A new attempt is a new recharge with a new idempotency key.',
  },
  PROVIDER_ERROR: {
    status: 'in failure.code',
    title: 'The provider refused the order',
    meaning: 'The provider did not take our order, for instance because a parameter is not one of its own.',
    remedy: 'Read failure.message. Correct the request and send it with a new idempotency key.',
  },
  TIMEOUT: {
    status: 'in the timeline',
    title: 'The provider did not answer in time',
    meaning:
      'It is not known yet whether the money moved. This is never final: the recharge stays in_progress, and we ask the provider until it says.',
    remedy:
      'Wait, with `Prefer: wait=30` or by asking now and then. Never send the same recharge with a new key.',
  },
};

export const errorPages: ReadonlyMap<string, ErrorPage> = new Map([
  ...(Object.keys(codes) as Code[]).map(
    (code) =>
      [code, { status: String(codes[code].status), title: codes[code].title, ...words[code] }] as const,
  ),
  ...Object.entries(inRecharges),
]);
