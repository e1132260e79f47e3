import type { Domain, Settlement, SettlementDay } from '@replenish/domain';
import { exponentOf } from '@replenish/domain/rules';
import type { Logger } from '@replenish/runtime';
import type { z } from 'zod';
import { coversAccount } from '../auth/account-patterns.js';
import { csvHead, csvRows, wantsMark } from '../http/answers/csv.js';
import { invalid } from '../http/answers/problem.js';
import { addHeader } from '../http/answers/send.js';
import { sendStream } from '../http/answers/stream.js';
import type { KeyedCall } from '../http/operation.js';
import type { SettlementQuery } from './input.js';

export type ExportDeps = Readonly<{ domain: Pick<Domain, 'settlements'>; log: Logger }>;

/** GET /v1/exports/settlements */
export async function exportSettlements(
  { domain, log }: ExportDeps,
  { request, response, key, query }: KeyedCall<z.infer<typeof SettlementQuery>>,
): Promise<void> {
  const { day, timeZone, bom } = query();
  const found = await domain.settlements.ofDay(day, timeZone);
  if (!found) throw invalid({ path: 'timeZone', message: 'is not known to the database' });
  if (found.isAhead) throw invalid({ path: 'day', message: `has not begun in ${timeZone}` });
  addHeader(response, 'content-disposition', `attachment; filename="settlements-${day}.csv"`);
  const hasMark = bom === undefined ? wantsMark(request) : bom === 'true';
  const isSeen = ({ accountId }: Settlement): boolean => coversAccount(key, accountId);
  const pieces = settlementText(found, isSeen, hasMark);
  await sendStream(response, { contentType: 'text/csv; charset=utf-8', pieces }, log);
}

const columns = [
  'settledAt',
  'transactionId',
  'kind',
  'clientId',
  'clientName',
  'accountId',
  'amount',
  'currency',
  'exponent',
  'paymentMethod',
  'provider',
  'providerAccount',
  'providerOrderId',
  'externalReference',
  'orderReference',
  'refundOf',
  'collectedBy',
  'createdAt',
] as const;

async function* settlementText(
  day: SettlementDay,
  isSeen: (row: Settlement) => boolean,
  hasMark: boolean,
): AsyncGenerator<string> {
  yield csvHead(columns, hasMark);
  for await (const rows of day.rows()) {
    const lines = rows.filter(isSeen).map(({ id, amountMinor, ...row }) => ({
      ...row,
      transactionId: id,
      amount: amountMinor,
      exponent: exponentOf(row.currency) ?? null,
    }));
    if (lines.length > 0) yield csvRows(columns, lines);
  }
}
