import type { CaseView } from '@replenish/domain';

/** A case as JSON. Its amount is a bigint, because the sum of several amounts can exceed 2^53. */
export const caseBody = ({ id, amountMinor, clientId: _, accountId: __, ...shown }: CaseView) => ({
  caseId: id,
  kind: shown.kind,
  transactionId: shown.transactionId,
  subject: shown.subject,
  amount: amountMinor,
  currency: shown.currency,
  openedAt: shown.openedAt,
  closedAt: shown.closedAt,
  evidence: shown.evidence,
  verbs: shown.verbs,
  resolution: shown.resolution,
});
