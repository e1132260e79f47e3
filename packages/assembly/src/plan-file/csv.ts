import { type PlanFault, planColumnNames } from './lines.js';

export type PlanRows =
  | Readonly<{
      ok: true;
      rows: readonly Readonly<Record<string, string>>[];
      /** Where a row stands in the spreadsheet, such as `row 4`. */
      placeOf: (index: number) => string;
    }>
  | Readonly<{ ok: false; faults: readonly PlanFault[] }>;

type CsvRecord = Readonly<{
  record: readonly string[];
  info: Readonly<{ records: number; empty_lines: number }>;
}>;

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
      'the file is not UTF-8: save it as "CSV UTF-8", or name its charset, such as gbk (in Content-Type or with --charset)',
    );
  const { CsvError, parse } = await import('csv-parse/sync');
  const { delimiter, content, rowsBefore } = separatorOf(text);
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
    if (error instanceof CsvError) return refused(error.message);
    throw error;
  }
  const filled = records.filter(({ record }) => record.some((cell) => cell !== ''));
  return rowsOf(filled, rowsBefore);
}

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

type Separated = Readonly<{
  delimiter: string;
  content: string;
  /** Rows of `content` that a spreadsheet does not show. */
  rowsBefore: number;
}>;

/** The separator is the one that the row of the names has most. Excel also writes and reads a first row `sep=;`. */
function separatorOf(text: string): Separated {
  const told = /^sep=([,;\t|])(?=\r?\n)/i.exec(text);
  if (told) return { delimiter: told[1]!, content: text.slice(told[0].length), rowsBefore: 1 };
  const names = /[^\r\n]+/.exec(text)?.[0] ?? '';
  const [most] = DELIMITERS.map((one) => [names.split(one).length, one] as const).sort(([a], [b]) => b - a);
  return { delimiter: most![1], content: text, rowsBefore: 0 };
}

function rowsOf([names, ...records]: readonly CsvRecord[], rowsBefore: number): PlanRows {
  if (!names) return refused('the file is empty');
  // A cell may have line breaks, so a row of the spreadsheet may be several lines of the file.
  const rowOf = ({ info }: CsvRecord): string => `row ${info.records + info.empty_lines - rowsBefore}`;
  const first = rowOf(names);
  const header = names.record.map(columnNamed);
  const faults: PlanFault[] = [];
  const fault = (index: number | null, message: string): unknown =>
    faults.push({ index, column: '', message });
  header.forEach((name, at) => {
    if (name === null)
      fault(
        null,
        `${first}: "${names.record[at]!.slice(0, 40)}" is no column; the columns are ${planColumnNames.join(', ')}`,
      );
    else if (name !== '' && header.indexOf(name) < at)
      fault(null, `${first}: the column ${name} is there twice`);
  });
  for (const name of ['accountId', 'amount', 'currency'])
    if (!header.includes(name)) fault(null, `${first}: the column ${name} is missing`);
  if (faults.length > 0) return { ok: false, faults };
  const placeOf = (index: number): string => rowOf(records[index]!);
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
