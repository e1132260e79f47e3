import type { Readable } from 'node:stream';
import type { StatementLine } from '@replenish/domain';
import { exponentOf, mayBeBooked } from '@replenish/domain/rules';
import { decoded } from './statements/decoded.js';
import { StatementFault } from './statements/fault.js';
import { type ReportFields, type ReportForm, reportForm } from './statements/reports.js';

export { StatementFault };

export const statementColumns = [
  'line',
  'at',
  'orderId',
  'reference',
  'direction',
  'amount',
  'currency',
  'balance',
] as const;
type Column = (typeof statementColumns)[number];
const needed: readonly Column[] = ['line', 'at', 'direction', 'amount', 'currency'];

type StatementFields = Readonly<Partial<Record<Column, string>>>;

/**
 * Reads a statement line by line: in our columns, or in the form of a report of Stripe, Alipay or Alibaba Cloud, which the
 * first row tells. In our form the separator is a comma or a semicolon, amounts are minor units, and times are RFC 3339. Empty lines
 * are passed over.
 * @throws StatementFault at the first line that cannot be read
 */
export async function* statementLines(csv: Readable): AsyncGenerator<StatementLine> {
  const { CsvError, parse } = await import('csv-parse');
  let form: ReportForm | null = null;
  try {
    const { text, hasComments } = await decoded(csv);
    const parser = parse({
      bom: true,
      delimiter: [',', ';'],
      columns: (header: string[]) => {
        const names = header.map((name) => name.trim());
        form = reportForm(names);
        return form ? names : checkedHeader(names);
      },
      ...(hasComments && { comment: '#', comment_no_infix: true, relax_column_count: true }),
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
      info: true,
      max_record_size: 16_384,
    });
    text.once('error', (error) => parser.destroy(error)).pipe(parser);
    for await (const { record, info } of parser as AsyncIterable<ParsedRow>)
      yield form ? (form as ReportForm).lineOf(record, info.lines) : lineOf(record, info.lines);
  } catch (error) {
    if (error instanceof CsvError) throw new StatementFault(error.message);
    if (isNoText(error)) throw new StatementFault('the file is not in UTF-8');
    throw error;
  } finally {
    csv.destroy();
  }
}

type ParsedRow = Readonly<{ record: StatementFields & ReportFields; info: { lines: number } }>;

const isNoText = (error: unknown): boolean =>
  (error as { code?: unknown } | null)?.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';

function checkedHeader(header: readonly string[]): string[] {
  const known: readonly string[] = statementColumns;
  const strange = header.find((name) => !known.includes(name));
  if (strange !== undefined)
    throw new StatementFault(`line 1: unknown column "${strange}"; the columns are ${known.join(',')}`);
  const missing = needed.find((name) => !header.includes(name));
  if (missing !== undefined) throw new StatementFault(`line 1: the column ${missing} is missing`);
  if (new Set(header).size < header.length) throw new StatementFault('line 1: a column is there twice');
  return [...header];
}

// RFC 3339 with its offset: a time without one could be of any zone.
const TIME = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;
// What is missing between two lines adds up to three such numbers, and is kept in 63 bits.
const MINOR_MAX = 2n ** 61n - 1n;

function lineOf(fields: StatementFields, at: number): StatementLine {
  const refuse = (column: Column, why: string): never => {
    throw new StatementFault(`line ${at}, column ${column}: ${why}`);
  };
  const text = (column: Column): string => fields[column] || refuse(column, 'is needed');
  const whole = (column: Column, pattern: RegExp): bigint => {
    const given = text(column);
    if (!pattern.test(given)) refuse(column, `"${given}" is no whole number of minor units`);
    const value = BigInt(given);
    return value > MINOR_MAX || value < -MINOR_MAX ? refuse(column, `"${given}" is too large`) : value;
  };
  const amountMinor = whole('amount', /^\d{1,19}$/);
  if (amountMinor === 0n) refuse('amount', 'must be above zero; `direction` says which way the money went');
  const time = new Date(TIME.test(text('at')) ? text('at') : Number.NaN);
  if (Number.isNaN(time.getTime())) refuse('at', `"${text('at')}" is no RFC 3339 time with its offset`);
  const direction = text('direction').toLowerCase();
  const currency = text('currency');
  if (exponentOf(currency) === undefined && !mayBeBooked(currency))
    refuse('currency', `"${currency}" is no ISO 4217 code`);
  return {
    line: text('line'),
    at: time,
    orderId: fields.orderId || null,
    reference: fields.reference || null,
    direction:
      direction === 'in' || direction === 'out' ? direction : refuse('direction', 'must be "in" or "out"'),
    amountMinor,
    currency,
    balanceMinor: fields.balance ? whole('balance', /^-?\d{1,19}$/) : null,
  };
}
