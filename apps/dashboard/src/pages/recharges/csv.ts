import { waitingBody } from '@replenish/assembly';
import type { RechargeView } from '@replenish/domain';
import { stringify } from 'csv-stringify/sync';
import type { Response } from 'express';

const columns = [
  'transactionId',
  'state',
  'waiting',
  'kind',
  'accountId',
  'amountMinor',
  'currency',
  'provider',
  'providerOrderId',
  'orderReference',
  'failureCode',
  'createdAt',
  'succeededAt',
] as const;

/**
 * The rows as a file. Cells that a spreadsheet would run as a formula are escaped. X-Next tells where the next file
 * begins, if there are more rows.
 */
export function sendRechargesCsv(
  response: Response,
  rows: readonly RechargeView[],
  next: string | null,
): void {
  const text = stringify(
    rows.map((row) => ({ ...row, transactionId: row.id, waiting: waitingBody(row)?.reason ?? '' })),
    {
      header: true,
      columns: [...columns],
      escape_formulas: true,
      cast: {
        date: (value) => value.toISOString(),
        bigint: (value) => ({ value: value.toString(), escape_formulas: false }),
      },
    },
  );
  if (next !== null) response.set('x-next', next);
  response.attachment('recharges.csv').type('text/csv').send(text);
}
