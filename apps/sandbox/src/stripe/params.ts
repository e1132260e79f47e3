import { invalid } from './faults.js';
import type { IntentRequest, RefundRequest } from './machine.js';
import type { CardOutcome } from './objects.js';

/** The parameters of a form, flat: `metadata[transaction_id]` is a name. */
export type FormParams = ReadonlyMap<string, string>;

export const readForm = (body: string): FormParams => new Map(new URLSearchParams(body));

/** Identifies the parameters of a request, whatever their order. */
export const printOf = (method: string, path: string, params: FormParams): string =>
  JSON.stringify([method, path, [...params].sort(([one], [other]) => (one < other ? -1 : 1))]);

const AMOUNT_MAX = 99_999_999;

// The smallest amounts that Stripe charges, about 50 US cents, for the currencies that tests use.
const smallest: Readonly<Record<string, number>> = { usd: 50, eur: 50, gbp: 30, jpy: 50, cny: 400, hkd: 400 };

const intentNames =
  /^(amount|currency|description|capture_method|confirm|payment_method|payment_method_types\[\d*\]|metadata\[[^\]]{1,40}\]|automatic_payment_methods\[\w+\]|expand\[\d*\])$/;

export function intentRequestOf(params: FormParams): IntentRequest {
  refuseUnknown(params, intentNames);
  const currency = needed(params, 'currency');
  if (!/^[a-z]{3}$/.test(currency)) throw invalid(`Invalid currency: ${currency}.`, 'currency');
  const amount = amountOf(needed(params, 'amount'));
  if (amount < (smallest[currency] ?? 1))
    throw invalid('Amount must convert to at least 50 cents.', 'amount', 'amount_too_small');
  if (amount > AMOUNT_MAX)
    throw invalid('Amount must be no more than 99999999.', 'amount', 'amount_too_large');
  const types = [...params].filter(([name]) => name.startsWith('payment_method_types')).map(([, one]) => one);
  return {
    amount,
    currency,
    metadata: metadataOf(params),
    paymentMethodTypes: types.length > 0 ? types : ['card'],
    description: params.get('description') ?? null,
  };
}

export function refundRequestOf(params: FormParams): RefundRequest {
  refuseUnknown(params, /^(payment_intent|amount|reason|metadata\[[^\]]{1,40}\]|expand\[\d*\])$/);
  const amount = params.get('amount');
  return {
    intentId: needed(params, 'payment_intent'),
    amount: amount === undefined ? null : amountOf(amount),
    metadata: metadataOf(params),
    reason: params.get('reason') ?? null,
  };
}

export function cancelReasonOf(params: FormParams): string | null {
  const reason = params.get('cancellation_reason');
  const allowed = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'];
  if (reason !== undefined && !allowed.includes(reason))
    throw invalid(`Invalid cancellation_reason: must be one of ${allowed.join(', ')}`, 'cancellation_reason');
  return reason ?? null;
}

/** The outcome of Stripe's test cards. */
export function cardOf(paymentMethod: string): CardOutcome {
  if (/declined/i.test(paymentMethod)) return 'declined';
  return /authenticationRequired|threeDSecure/i.test(paymentMethod) ? 'requires_action' : 'ok';
}

export function needed(params: FormParams, name: string): string {
  const value = params.get(name);
  if (value === undefined || value === '')
    throw invalid(`Missing required param: ${name}.`, name, 'parameter_missing');
  return value;
}

/** The page size of a list. */
export function limitOf(params: FormParams): number {
  const limit = Number(params.get('limit') ?? 10);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100)
    throw invalid('Invalid limit: must be between 1 and 100', 'limit');
  return limit;
}

function amountOf(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw invalid(`Invalid integer: ${text}`, 'amount', 'parameter_invalid_integer');
  if (Number(text) < 1)
    throw invalid('This value must be greater than or equal to 1.', 'amount', 'parameter_invalid_integer');
  return Number(text);
}

function metadataOf(params: FormParams): Record<string, string> {
  const pairs = [...params].flatMap(([name, value]) => {
    const key = /^metadata\[(.+)\]$/.exec(name)?.[1];
    return key === undefined ? [] : [[key, value] as const];
  });
  if (pairs.length > 50 || pairs.some(([, value]) => value.length > 500))
    throw invalid('Metadata values can have up to 500 characters, and there can be 50 keys.', 'metadata');
  return Object.fromEntries(pairs);
}

function refuseUnknown(params: FormParams, names: RegExp): void {
  const unknown = [...params.keys()].find((name) => !names.test(name));
  if (unknown !== undefined)
    throw invalid(`Received unknown parameter: ${unknown}`, unknown, 'parameter_unknown');
}
