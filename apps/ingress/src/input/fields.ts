import { exponentOf, hasCardNumber, mayBeBooked, whyNoCurrency } from '@replenish/domain/rules';
import { z } from 'zod';
import { type FieldError, invalid } from '../http/answers/problem.js';

// The messages of zod name its own types and comparisons, which mean nothing to callers.
z.config({
  customError: (issue) => {
    switch (issue.code) {
      case 'invalid_value':
        return `must be one of ${issue.values.join(', ')}`;
      case 'invalid_type':
        return issue.input === undefined
          ? 'is needed'
          : `must be ${wordsOf[issue.expected] ?? issue.expected}`;
      case 'too_small':
        return `must ${sizeOf('least', issue.minimum, issue.origin)}`;
      case 'too_big':
        return `must ${sizeOf('most', issue.maximum, issue.origin)}`;
      default:
        return undefined;
    }
  },
});

const units: Readonly<Record<string, string>> = { string: 'character', array: 'value' };

function sizeOf(bound: 'least' | 'most', size: number | bigint, of: string): string {
  const unit = units[of];
  return unit ? `have at ${bound} ${size} ${unit}${size === 1 ? '' : 's'}` : `be at ${bound} ${size}`;
}

const wordsOf: Readonly<Record<string, string>> = {
  string: 'a string',
  object: 'an object',
  record: 'an object',
};

const NO_CARD =
  'must not contain what may be the number of a payment card; if it is none, write it with a dot between its digits';

/** A text without control characters, NUL and lone surrogates. PostgreSQL would refuse or even change them. */
const clean = /^[^\p{Cc}\p{Cs}]*$/u;
export const freeText = (max: number) =>
  z
    .string()
    .max(max)
    .regex(clean, 'must not contain control characters or lone surrogates')
    .refine((given) => given.length > max || !hasCardNumber(given), NO_CARD);
export const text = (max: number) => freeText(max).min(1);

export const accountId = z
  .string()
  .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 of A-Z a-z 0-9 . _ : -')
  .meta({ description: 'The account: 1 to 64 letters, digits and `. _ : -`', examples: ['acct-1001'] });
export const currency = z
  .string()
  .refine((code) => exponentOf(code) !== undefined, { error: ({ input }) => whyNoCurrency(String(input)) })
  .meta({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 code, in upper case', examples: ['USD'] });
/** A currency that the ledger may contain. Withdrawn currencies are included, because their balances remain. */
export const bookedCurrency = z
  .string()
  .refine(mayBeBooked, 'must be an upper-case ISO 4217 code')
  .meta({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 code, in upper case', examples: ['USD'] });
/** Printable ASCII that is not enclosed in double quotes. */
export const KEY_PATTERN =
  '^([\\x21\\x23-\\x7e][\\x21-\\x7e]{0,254}|"[\\x21-\\x7e]{0,253}[\\x21\\x23-\\x7e])$';
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be 1 to 255 printable ASCII characters')
  // An IETF draft puts keys in quotes, and some clients follow it. One key would become two keys, with and without
  // quotes.
  .refine(
    (key) => !/^"(?:.*")?$/.test(key),
    'must not begin and end with a double quote: send it without quotes',
  )
  .meta({ pattern: KEY_PATTERN });
/** A time in RFC 3339. In UTC the year must be 1 to 9999, because PostgreSQL takes no other year. */
export const timestamp = z.iso
  .datetime({ offset: true, abort: true, error: 'must be an RFC 3339 time' })
  .refine((time) => /^(?!0000)\d{4}-/.test(new Date(time).toISOString()), 'must be of the years 1 to 9999')
  .meta({ description: 'RFC 3339' });

/** The moment that a checked `timestamp` names. Undefined when it was not sent. */
export const optionalTime = (time: string | undefined): Date | undefined =>
  time === undefined ? undefined : new Date(time);

/** The number of rows per page. `rows` is the default. */
export const pageLimit = (rows: number) =>
  z
    .string()
    .regex(/^(?:[1-9]\d?|100)$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: 100,
      description: `Rows of a page, 1 to 100; ${rows} when it is left out`,
    })
    .default(rows);

// The most faults in one answer. One body can hold twelve thousand wrong fields, whose answer would have two megabytes.
const ERRORS_MAX = 20;
const PATH_MAX = 100;

/**
 * Checks a value. `name` stands for the whole value in the list of faults.
 * @throws Problem INVALID_ARGUMENT that names the fields at fault
 */
export function validated<T>(schema: z.ZodType<T>, value: unknown, name?: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap(fieldErrors).slice(0, ERRORS_MAX);
  throw invalid(...errors.map(({ path, message }) => ({ path: path || (name ?? ''), message })));
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const pathOf = (...keys: PropertyKey[]) => keys.map(String).join('.').slice(0, PATH_MAX);
  if (issue.code !== 'unrecognized_keys') return [{ path: pathOf(...issue.path), message: issue.message }];
  return issue.keys
    .slice(0, ERRORS_MAX)
    .map((key) => ({ path: pathOf(...issue.path, key), message: 'is not a known field' }));
}
