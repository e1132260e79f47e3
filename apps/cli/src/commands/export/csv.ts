import type { LedgerLine } from '@replenish/domain';
import { stringify } from 'csv-stringify/sync';
import { dayOf, type JournalForm, majorOf } from './journal.js';

const columns = [
  'date',
  'time',
  'transactionId',
  'journalId',
  'entryId',
  'slot',
  'debitAccount',
  'creditAccount',
  'amount',
  'currency',
  'orderReference',
  'providerOrderId',
] as const;

/** One line per entry, in major units. Cells that a spreadsheet would run as a formula are escaped. */
export const csvForm = (): JournalForm => ({
  head: () => [columns.join(',')],
  entry: (line) => [stringify([rowOf(line)], { escape_formulas: true }).trimEnd()],
});

const rowOf = (line: LedgerLine): (string | null)[] => [
  dayOf(line.at),
  line.at.toISOString(),
  line.transactionId,
  line.journalId,
  String(line.id),
  line.slot,
  line.debit,
  line.credit,
  majorOf(line.amountMinor, line.currency),
  line.currency,
  line.orderReference,
  line.providerOrderId,
];
