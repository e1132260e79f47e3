import { AMOUNT_MINOR_MAX } from '@replenish/domain';
import { paymentMethods } from '@replenish/providers';
import { isLosslessNumber } from 'lossless-json';
import { z } from 'zod';
import { exponentOf } from './currencies.js';
import { type FieldError, Problem } from './problem.js';

/** No control character, no NUL, no half of a surrogate pair: Postgres would refuse or, worse, change them. */
const clean = /^[^\p{Cc}\p{Cs}]*$/u;
const text = (max: number) =>
  z.string().min(1).max(max).regex(clean, 'must not contain control characters or lone surrogates');

export const accountId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -');
export const currency = z
  .string()
  .refine((code) => exponentOf(code) !== undefined, 'must be an upper-case ISO 4217 code');
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters');
export const timestamp = z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time' });

/** A JSON number that was written as digits, so that 1e3, 1.5 and 2^53 never become another amount on the way. */
const amountMinor = z
  .custom<{ value: string }>((value) => isLosslessNumber(value), 'must be a JSON integer of minor units')
  .refine(
    (number) => /^[1-9]\d{0,15}$/.test(number.value),
    'must be a positive integer of minor units, in digits',
  )
  .transform((number) => BigInt(number.value))
  .refine((amount) => amount <= AMOUNT_MINOR_MAX, 'must be at most 9007199254740991');

const metadata = z
  .record(
    text(40),
    z.string().max(500).regex(clean, 'must not contain control characters or lone surrogates'),
  )
  .refine((entries) => Object.keys(entries).length <= 50, 'must have at most 50 entries');

/** The body of POST /v1/recharges. Unknown fields are refused: a misspelt one must not be accepted and forgotten. */
export const RechargeInput = z.strictObject({
  idempotencyKey: idempotencyKey.optional(),
  accountId,
  amount: amountMinor,
  currency,
  paymentMethod: z.enum(paymentMethods).default('sandbox'),
  orderReference: text(255).optional(),
  timestamp: timestamp.optional(),
  callbackUrl: z.never('callbacks are not built yet; leave it out and ask for the outcome').optional(),
  productType: text(255).optional(),
  planId: text(255).optional(),
  metadata: metadata.default({}),
});

/** The form of the source document: amount in major units, as `{"amount": 100, "currency": "USD"}`. */
export const ChargeInput = z.strictObject({
  idempotency_key: idempotencyKey.optional(),
  account_id: accountId,
  amount: z.custom<{ value: string }>(
    (value) => isLosslessNumber(value),
    'must be a JSON number of major units',
  ),
  currency,
  payment_method: z.enum(paymentMethods).default('sandbox'),
});

/** @throws Problem INVALID_ARGUMENT that names every field at fault */
export function validated<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap(fieldErrors);
  throw new Problem('INVALID_ARGUMENT', errors.map((e) => `${e.path || 'body'}: ${e.message}`).join('; '), {
    errors,
  });
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String).join('.');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({
    path: [path, key].filter(Boolean).join('.').slice(0, 100),
    message: 'is not a known field',
  }));
}
