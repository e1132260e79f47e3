import type { MoneyDestination, PlanLine } from '@replenish/domain';
import { AMOUNT_MINOR_MAX, exponentOf, PLAN_LINES_MAX, whyNoCurrency } from '@replenish/domain/rules';
import type { SortRefusal } from '../recharges/recharge-sort.js';
import { amountIn } from './amount.js';

/** The fields of a line. They are also the columns of a file. */
export const planColumnNames = [
  'line',
  'accountId',
  'amount',
  'currency',
  'paymentMethod',
  'destination',
  'orderReference',
  'providerAccount',
] as const;
export type PlanColumn = (typeof planColumnNames)[number];

/** What is wrong with a line. `index` counts the lines from 0. Null: the plan as a whole is at fault. */
export type PlanFault = Readonly<{ index: number | null; column: string; message: string }>;

export type CheckedLines =
  | Readonly<{ ok: true; lines: readonly PlanLine[]; currency: string; totalMinor: bigint }>
  | Readonly<{ ok: false; faults: readonly PlanFault[] }>;

export type LineRules = Readonly<{
  /** Whether the fields are texts, as in CSV and XML. In JSON numbers are numbers. */
  isText: boolean;
  paymentMethods: readonly string[];
  /** Says why a payment method, a destination and an account of ours lead nowhere. */
  unroutable: (
    asked: Pick<PlanLine, 'paymentMethod' | 'destination' | 'providerAccount'>,
  ) => SortRefusal | null;
  /** Says why a text cannot be an order reference. */
  wrongText: (text: string) => string | null;
  /** Where a line stands in its file, such as `row 4`. */
  placeOf?: (index: number) => string;
}>;

type PlanFields = Readonly<Record<string, unknown>>;
type CheckedLine = Readonly<{ line: PlanLine; currency: string }>;
type Fault = (column: string, message: string) => void;

const ACCOUNT = /^[A-Za-z0-9._:-]{1,64}$/;
const LINE_MAX = 2_147_483_647;
const TOTAL_MAX = 2n ** 63n - 1n;

/** Checks all lines of a plan together, and tells every fault. */
export function checkedLines(given: readonly unknown[], rules: LineRules): CheckedLines {
  if (given.length === 0) return refused('must have a line');
  if (given.length > PLAN_LINES_MAX) return refused(`must have at most ${PLAN_LINES_MAX} lines`);
  const faults: PlanFault[] = [];
  const rows = given.map((one) => (isObject(one) ? one : null));
  const isNumbered = rows.some((row) => row !== null && isGiven(row.line));
  const faultless = new Map<number, CheckedLine>();
  for (const [index, row] of rows.entries()) {
    const number = isNumbered ? Number(row?.line) : index + 1;
    const fault: Fault = (column, message) =>
      faults.push({ index, column, message: `${nameOf(number, index, rules)}: ${message}` });
    if (row === null) {
      fault('', 'must be an object');
      continue;
    }
    const before = faults.length;
    const checked = lineOf(row, { ...rules, number: isNumbered ? null : number }, fault);
    if (faults.length === before && checked) faultless.set(index, checked);
  }
  const repetitions = isNumbered ? sameNumbers(rows, rules) : sameLines(rows, faultless, rules);
  faults.push(...repetitions, ...otherCurrencies(rows, rules));
  if (faults.length > 0) return { ok: false, faults: faults.sort((a, b) => a.index! - b.index!) };
  const lines = [...faultless.values()];
  const totalMinor = lines.reduce((sum, { line }) => sum + line.amountMinor, 0n);
  if (totalMinor > TOTAL_MAX) return refused('add up to more than the books can hold');
  return { ok: true, lines: lines.map(({ line }) => line), currency: lines[0]!.currency, totalMinor };
}

const refused = (message: string): CheckedLines => ({
  ok: false,
  faults: [{ index: null, column: 'lines', message }],
});

const isObject = (value: unknown): value is PlanFields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Spreadsheets and tool kits write an empty text for a missing value. */
const isGiven = (value: unknown): boolean => value !== undefined && value !== '';

const nameOf = (number: number, index: number, { placeOf }: LineRules): string => {
  const line = Number.isSafeInteger(number) && number > 0 ? `line ${number}` : `line at place ${index + 1}`;
  return placeOf ? `${line} (${placeOf(index)})` : line;
};

function lineOf(
  row: PlanFields,
  rules: LineRules & Readonly<{ number: number | null }>,
  fault: Fault,
): CheckedLine | null {
  for (const name of Object.keys(row))
    if (!(planColumnNames as readonly string[]).includes(name)) fault(name, 'is not a known field');
  const text = (column: PlanColumn): string | null => textOf(row[column], (why) => fault(column, why));
  const needed = (column: PlanColumn): string | null => {
    if (!isGiven(row[column])) fault(column, 'is needed');
    return isGiven(row[column]) ? text(column) : null;
  };
  const accountId = needed('accountId');
  if (accountId !== null && !ACCOUNT.test(accountId))
    fault('accountId', 'must be 1 to 64 of A-Z a-z 0-9 . _ : -');
  const currency = needed('currency');
  if (currency !== null && exponentOf(currency) === undefined) fault('currency', whyNoCurrency(currency));
  const amountMinor = amountOf(row.amount, rules, (why) => fault('amount', why));
  const paymentMethod = isGiven(row.paymentMethod) ? text('paymentMethod') : 'sandbox';
  if (paymentMethod !== null && !rules.paymentMethods.includes(paymentMethod))
    fault('paymentMethod', `must be one of ${rules.paymentMethods.join(', ')}`);
  const destination = destinationOf(row.destination, fault);
  const orderReference = isGiven(row.orderReference) ? text('orderReference') : null;
  const wrong = orderReference === null ? null : rules.wrongText(orderReference);
  if (wrong !== null) fault('orderReference', wrong);
  const providerAccount = isGiven(row.providerAccount) ? text('providerAccount') : null;
  const line = rules.number ?? numberOf(row.line, rules, (why) => fault('line', why));
  if (accountId === null || currency === null || amountMinor === null || paymentMethod === null) return null;
  if (line === null) return null;
  const unroutable = rules.paymentMethods.includes(paymentMethod)
    ? rules.unroutable({ paymentMethod, destination, providerAccount })
    : null;
  if (unroutable) fault(unroutable.path, unroutable.message);
  const way = { paymentMethod, providerAccount, destination };
  return { currency, line: { line, accountId, amountMinor, ...way, orderReference } };
}

function textOf(value: unknown, why: (message: string) => void): string | null {
  if (typeof value === 'string') return value;
  why('must be a string');
  return null;
}

function amountOf(value: unknown, { isText }: LineRules, why: (message: string) => void): bigint | null {
  if (!isGiven(value)) {
    why('is needed');
    return null;
  }
  const amount = amountIn(value, isText);
  if (typeof amount === 'bigint' && amount <= AMOUNT_MINOR_MAX) return amount;
  why(typeof amount === 'string' ? amount : `must be at most ${AMOUNT_MINOR_MAX}`);
  return null;
}

function numberOf(value: unknown, { isText }: LineRules, why: (message: string) => void): number | null {
  const number = isText && typeof value === 'string' && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number > 0 && number <= LINE_MAX)
    return number;
  why(isGiven(value) ? `must be a whole number from 1 to ${LINE_MAX}` : 'is needed, or no line has a number');
  return null;
}

function destinationOf(value: unknown, fault: Fault): MoneyDestination | null {
  if (!isGiven(value)) return null;
  if (value === 'wallet' || value === 'cloud') return value;
  fault('destination', 'must be one of wallet, cloud');
  return null;
}

/** Lines that have the number of an earlier one. */
function sameNumbers(rows: readonly (PlanFields | null)[], rules: LineRules): PlanFault[] {
  const numbers = rows.map((row) => (row !== null && isGiven(row.line) ? String(row.line) : null));
  const name = (at: number): string => nameOf(Number(rows[at]?.line), at, rules);
  return repeated(
    numbers,
    (here, there) => `${name(here)}: has the number of an earlier line, ${name(there)}`,
  );
}

/**
 * Without numbers, two lines that mean the same cannot be told from one that was copied by mistake. An empty cell means
 * what is usual, so lines are compared as they were read. Those with faults are compared as they were written.
 */
function sameLines(
  rows: readonly (PlanFields | null)[],
  faultless: ReadonlyMap<number, CheckedLine>,
  rules: LineRules,
): PlanFault[] {
  const contents = rows.map((row, index) => {
    const checked = faultless.get(index);
    if (!checked) return row && JSON.stringify(planColumnNames.map((name) => row[name]));
    const { line: _, amountMinor, ...rest } = checked.line;
    return JSON.stringify([checked.currency, String(amountMinor), rest]);
  });
  const name = (at: number): string => nameOf(at + 1, at, rules);
  return repeated(
    contents,
    (here, there) =>
      `${name(here)}: is the same as ${name(there)}; give each line a number if both are meant`,
  );
}

/** The texts that appeared before, with the first place of each. Null is no text. */
function repeated(
  texts: readonly (string | null)[],
  message: (here: number, there: number) => string,
): PlanFault[] {
  const seen = new Map<string, number>();
  return texts.flatMap((text, index): PlanFault[] => {
    if (text === null) return [];
    const first = seen.get(text);
    if (first !== undefined) return [{ index, column: 'line', message: message(index, first) }];
    seen.set(text, index);
    return [];
  });
}

/** A plan has one currency, that of its first line. */
function otherCurrencies(rows: readonly (PlanFields | null)[], rules: LineRules): PlanFault[] {
  const first = rows[0]?.currency;
  if (typeof first !== 'string' || exponentOf(first) === undefined) return [];
  return rows.flatMap((row, index): PlanFault[] => {
    const other = row?.currency;
    if (typeof other !== 'string' || other === first || exponentOf(other) === undefined) return [];
    const name = nameOf(Number(row?.line ?? index + 1), index, rules);
    return [
      {
        index,
        column: 'currency',
        message: `${name}: is ${other}, and the plan is in ${first}: it has one currency`,
      },
    ];
  });
}
