import { InvalidArgumentError } from '@commander-js/extra-typings';
import type { ApprovalLimits, Ceiling } from '@replenish/domain';
import {
  AMOUNT_MINOR_MAX,
  addressTest,
  exponentOf,
  isAccountAtProvider,
  isAccountPattern,
  isClientName,
  isTimeZone,
  type Scope,
  scopes,
  timeFromText,
  whyNoCurrency,
} from '@replenish/domain/rules';

// Values of options, checked by the rules for requests of clients. Each function is a parser for commander: it throws
// InvalidArgumentError, and commander puts the name of the option in front.

/** A time in RFC 3339, or a day. */
export function time(text: string): Date {
  const read = timeFromText(text);
  if (read === null)
    throw new InvalidArgumentError(
      'It must be a time of the calendar, such as 2027-01-31T00:00:00Z, or a day, such as 2027-01-31.',
    );
  return read;
}

/** The first moment of a month (UTC). */
export function month(text: string): Date {
  const first = /^\d{4}-\d\d$/.test(text) ? timeFromText(`${text}-01`) : null;
  if (first === null) throw new InvalidArgumentError('It must be a month, such as 2026-01.');
  return first;
}

export const wholeNumber =
  (min: number, max: number) =>
  (text: string): number => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= min && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${min} to ${max}.`);
  };

/** A name of the tz database. Offsets such as `+08:00` are refused. */
export function timeZone(text: string): string {
  if (isTimeZone(text)) return text;
  throw new InvalidArgumentError('It must be a time zone of the tz database, such as Asia/Shanghai.');
}

/** A charset of the Encoding Standard, such as `gbk`. */
export function charset(text: string): string {
  try {
    return new TextDecoder(text).encoding;
  } catch {
    throw new InvalidArgumentError('It must be a charset, such as utf-8 or gbk.');
  }
}

export function clientName(text: string): string {
  if (isClientName(text)) return text;
  throw new InvalidArgumentError(
    'It must be 1 to 64 letters and digits, with spaces and . _ @ - between them.',
  );
}

export function scopeList(text: string): Scope[] {
  const known: readonly string[] = scopes;
  const unknown = listOf(text).filter((scope) => !known.includes(scope));
  if (unknown.length > 0)
    throw new InvalidArgumentError(
      `There is no scope ${unknown.join(', ')}. The scopes are ${scopes.join(', ')}.`,
    );
  return listOf(text) as Scope[];
}

export function accountPatterns(text: string): string[] {
  const wrong = listOf(text).filter((pattern) => !isAccountPattern(pattern));
  if (wrong.length === 0) return listOf(text);
  throw new InvalidArgumentError(
    `'${wrong[0]}' is no account pattern: it must be 1 to 64 of A-Z a-z 0-9 . _ : - and * for any run of them.`,
  );
}

export function networks(text: string): string[] {
  const list = listOf(text);
  try {
    addressTest(list);
    return list;
  } catch (error) {
    throw new InvalidArgumentError(`${(error as Error).message}.`);
  }
}

export function oauthSubject(text: string): string {
  if (/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 255 characters, none of them a control character.');
}

export function uuid(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be an id such as 01a200d6-b7fd-72e4-ab98-dfd489e62fd1.');
}

/** The account of a client, or an account at a provider. Both have the same characters. */
export function accountAtProvider(text: string): string {
  if (isAccountAtProvider(text)) return text;
  throw new InvalidArgumentError('It must be 1 to 64 of A-Z a-z 0-9 . _ : -.');
}

export const accountId = accountAtProvider;

export function currency(text: string): string {
  if (exponentOf(text) !== undefined) return text;
  throw new InvalidArgumentError(`It ${whyNoCurrency(text)}.`);
}

export type Ceilings = Readonly<Record<string, Ceiling>>;

/** Adds a ceiling, such as `USD:100000:1000000`. Either amount may be left out. */
export function ceiling(text: string, others: Ceilings = {}): Ceilings {
  const [, currency = '', request = '', day = ''] =
    /^([A-Z]{3}):(?=\d|:\d)([1-9]\d{0,15})?(?::([1-9]\d{0,15})?)?$/.exec(text) ?? [];
  if (currency === '')
    throw new InvalidArgumentError(
      'It must be <currency>:<minor units per request>:<minor units per day>, such as USD:100000:1000000.',
    );
  if (exponentOf(currency) === undefined)
    throw new InvalidArgumentError(`Its currency ${whyNoCurrency(currency)}.`);
  if (Object.hasOwn(others, currency)) throw new InvalidArgumentError(`${currency} has a ceiling already.`);
  const [requestMinor, dayMinor] = [minorFrom(request), minorFrom(day)];
  if (requestMinor !== null && dayMinor !== null && requestMinor > dayMinor)
    throw new InvalidArgumentError('A request may be larger than what the day may hold.');
  return { ...others, [currency]: { requestMinor, dayMinor } };
}

/** Adds a limit of approvals, such as `CNY:100000`. */
export function approvalAbove(text: string, others: ApprovalLimits = {}): ApprovalLimits {
  const [, currency = '', amount = ''] = /^([A-Z]{3}):([1-9]\d{0,15})$/.exec(text) ?? [];
  if (currency === '')
    throw new InvalidArgumentError('It must be <currency>:<minor units>, such as CNY:100000.');
  if (exponentOf(currency) === undefined)
    throw new InvalidArgumentError(`Its currency ${whyNoCurrency(currency)}.`);
  if (Object.hasOwn(others, currency)) throw new InvalidArgumentError(`${currency} has a limit already.`);
  return { ...others, [currency]: minorFrom(amount)! };
}

function minorFrom(digits: string): bigint | null {
  if (digits === '') return null;
  const amountMinor = BigInt(digits);
  if (amountMinor > AMOUNT_MINOR_MAX)
    throw new InvalidArgumentError(`An amount must be at most ${AMOUNT_MINOR_MAX} minor units.`);
  return amountMinor;
}

const listOf = (text: string): string[] => [...new Set(text.split(','))];

/** A positive amount in minor units, in digits. */
export function minorUnits(text: string): bigint {
  if (/^[1-9]\d{0,17}$/.test(text)) return BigInt(text);
  throw new InvalidArgumentError('It must be a positive integer of minor units, in digits.');
}
