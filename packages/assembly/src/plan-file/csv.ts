import type { CsvError } from 'csv-parse';
import { type PlanFault, planColumnNames } from './lines.js';

export type PlanRows =
  | Readonly<{
      ok: true;
      rows: readonly Readonly<Record<string, string>>[];
      /** Where a row stands in the file, such as `row 4`. */
      placeOf: (index: number) => string;
    }>
  | Readonly<{ ok: false; faults: readonly PlanFault[] }>;

type CsvRecord = Readonly<{ record: readonly string[]; info: Readonly<{ lines: number }> }>;

const DELIMITERS = [',', ';', '\t'] as const;

/**
 * Reads the lines of a plan from CSV, as spreadsheets write it: with or without a byte order mark, in UTF-8 or UTF-16,
 * with commas, semicolons or tabs, and with empty rows and columns at the end. The first row names the columns. One
 * separator holds for the whole file, so that `4,999` between semicolons stays one cell.
 * @param charset the charset that the sender named, such as `gbk`. Default: UTF-8, or what the byte order mark says
 */
export async function planRows(bytes: Uint8Array, charset?: string): Promise<PlanRows> {
  const text = decoded(bytes, charset);
  if (text === null)
    return refused(
      'the file is not UTF-8: save it as "CSV UTF-8", or name its charset in Content-Type, such as text/csv; charset=gbk',
    );
  const { parse } = await import('csv-parse/sync');
  const { delimiter, content } = separatorOf(text);
  let records: readonly CsvRecord[];
  try {
    records = parse(content, {
      delimiter,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      info: true,
      max_record_size: 16_384,
    }) as unknown as CsvRecord[];
  } catch (error) {
    if (isCsvError(error)) return refused(error.message);
    throw error;
  }
  const filled = records.filter(({ record }) => record.some((cell) => cell !== ''));
  return rowsOf(filled);
}

const isCsvError = (error: unknown): error is CsvError =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_');

const refused = (message: string): PlanRows => ({
  ok: false,
  faults: [{ index: null, column: '', message }],
});

/** Null if the bytes are of another charset. */
function decoded(bytes: Uint8Array, charset: string | undefined): string | null {
  const [first, second] = bytes;
  const marked =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : null;
  try {
    return new TextDecoder(marked ?? charset ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** The separator is the one that the row of the names has most. Excel also writes and reads a first row `sep=;`. */
function separatorOf(text: string): { delimiter: string; content: string } {
  const told = /^sep=(.)(?=\r?\n)/i.exec(text);
  if (told) return { delimiter: told[1]!, content: text.slice(told[0].length) };
  const names = /[^\r\n]+/.exec(text)?.[0] ?? '';
  const [most] = DELIMITERS.map((one) => [names.split(one).length, one] as const).sort(([a], [b]) => b - a);
  return { delimiter: most![1], content: text };
}

function rowsOf([names, ...records]: readonly CsvRecord[]): PlanRows {
  if (!names) return refused('the file is empty');
  const header = names.record.map(columnNamed);
  const faults: PlanFault[] = [];
  const fault = (index: number | null, message: string): unknown =>
    faults.push({ index, column: '', message });
  header.forEach((name, at) => {
    if (name === null)
      fault(
        null,
        `row 1: "${names.record[at]!.slice(0, 40)}" is no column; the columns are ${planColumnNames.join(', ')}`,
      );
    else if (name !== '' && header.indexOf(name) < at)
      fault(null, `row 1: the column ${name} is there twice`);
  });
  for (const name of ['accountId', 'amount', 'currency'])
    if (!header.includes(name)) fault(null, `row 1: the column ${name} is missing`);
  if (faults.length > 0) return { ok: false, faults };
  const placeOf = (index: number): string => `row ${records[index]!.info.lines}`;
  const rows = records.map(({ record }, index) => {
    if (record.some((cell, at) => cell !== '' && !header[at]))
      fault(index, `${placeOf(index)}: has a cell outside of the columns`);
    return Object.fromEntries(header.flatMap((name, at) => (name ? [[name, record[at] ?? '']] : [])));
  });
  return faults.length > 0 ? { ok: false, faults } : { ok: true, rows, placeOf };
}

/** The column of a name, or an empty text for an empty cell. Null: there is no such column. */
function columnNamed(cell: string): string | null {
  if (cell === '') return '';
  return planColumnNames.find((name) => name.toLowerCase() === cell.toLowerCase()) ?? null;
}
