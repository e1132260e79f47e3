import { stringify } from 'csv-stringify/sync';
import type { Request, Response } from 'express';
import { addHeader, send } from './send.js';

/** Whether the caller asks for a byte order mark. Excel needs one to read a file as UTF-8. */
export const wantsMark = ({ headers }: Request): boolean =>
  /\btext\/csv\b[^,]*;\s*bom\s*=\s*"?present\b/i.test(headers.accept ?? '');

/**
 * Answers rows as CSV. `Accept: text/csv; bom=present` adds a byte order mark. Cells that a spreadsheet would run as
 * a formula are escaped (OWASP ASVS 1.2.10). Times are RFC 3339.
 */
export function sendCsv<Column extends string>(
  response: Response,
  fileName: string,
  columns: readonly Column[],
  rows: readonly Record<Column, unknown>[],
): void {
  const text = csvHead(columns, wantsMark(response.req)) + csvRows(columns, rows);
  addHeader(response, 'content-disposition', `attachment; filename="${fileName}"`);
  send(response, 200, 'text/csv; charset=utf-8', text);
}

/** The line with the names of the columns. `hasMark`: a byte order mark comes first, for files that people read. */
export const csvHead = (columns: readonly string[], hasMark: boolean): string =>
  stringify([[...columns]], { bom: hasMark });

/** The CSV lines of these rows. */
export const csvRows = <Column extends string>(
  columns: readonly Column[],
  rows: readonly Record<Column, unknown>[],
): string =>
  stringify([...rows], {
    columns: [...columns],
    escape_formulas: true,
    cast: {
      date: (value) => value.toISOString(),
      bigint: (value) => ({ value: value.toString(), escape_formulas: false }),
      number: (value) => ({ value: value.toString(), escape_formulas: false }),
    },
  });
