import type { Decision } from '../../core/decision.js';
import { holdOf, type Posting } from '../../core/money/postings.js';
import type { PlanRow } from './decisions/plan-row.js';
import type { RechargeReport } from './report.js';

type DeliveryRow = Pick<PlanRow, 'deliveryId' | 'holdJournalId' | 'holdPostings'>;

const none: DeliveryRow = { deliveryId: null, holdJournalId: null, holdPostings: [] };

/** The delivery of collected money, in the form that the statement writes. All fields are empty if there is none. */
export function deliveryRow(
  { continuation }: Decision,
  { transactionId }: Pick<RechargeReport, 'transactionId'>,
  newId: () => string,
): DeliveryRow {
  if (!continuation) return none;
  const deliveryId = newId();
  if (deliveryId === transactionId)
    throw new Error(`the delivery of ${transactionId} needs an id of its own`);
  const { postings } = holdOf(continuation);
  return { deliveryId, holdJournalId: newId(), holdPostings: postings.map(postingRow) };
}

/** A posting in the form that the statement writes. */
export const postingRow = ({ debit, credit, money }: Posting): PlanRow['postings'][number] => ({
  debit,
  credit,
  amountMinor: money.amountMinor,
  currency: money.currency,
});
