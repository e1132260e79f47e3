import { stringify } from 'csv-stringify/sync';
import type { Response } from 'express';
import { addHeader, send } from './send.js';

/**
 * Writes rows as CSV. Cells that a spreadsheet would take for a formula are escaped (OWASP ASVS 1.2.10), times are
 * RFC 3339.
 */
export function sendCsv<Column extends string>(
  response: Response,
  fileName: string,
  columns: readonly Column[],
  rows: readonly Record<Column, unknown>[],
): void {
  const text = stringify([...rows], {
    header: true,
    columns: [...columns],
    escape_formulas: true,
    cast: {
      date: (value) => value.toISOString(),
      bigint: (value) => ({ value: value.toString(), escape_formulas: false }),
      number: (value) => ({ value: value.toString(), escape_formulas: false }),
    },
  });
  addHeader(response, 'content-disposition', `attachment; filename="${fileName}"`);
  send(response, 200, 'text/csv; charset=utf-8', text);
}
