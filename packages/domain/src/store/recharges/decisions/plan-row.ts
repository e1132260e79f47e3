import { columns, type Row } from '../../database/rows.js';

/** One call to a provider, in the form that the statement writes. The call of a new intent has no times yet. */
export const callColumns = columns({
  id: 'uuid',
  attempt: 'int',
  operation: 'text',
  outcome: 'text?',
  providerCode: 'text?',
  httpStatus: 'int?',
  startedAt: 'timestamptz?',
  endedAt: 'timestamptz?',
  evidence: 'jsonb?',
});

export const postingColumns = columns({
  debit: 'text',
  credit: 'text',
  amountMinor: 'bigint',
  currency: 'text',
});

/** A decision about one recharge, in the form that the statement writes. */
export const planColumns = columns({
  id: 'uuid',
  /** The version that was decided on. A row that has another version by now is skipped. */
  version: 'int',
  provider: 'text?',
  providerAccount: 'text?',
  verdict: 'text',
  news: 'text',
  from: 'text',
  to: 'text',
  source: 'text',
  reason: 'text',
  filed: 'boolean',
  claimed: 'boolean',
  confirmation: 'text?',
  nextStep: 'text?',
  dueInMs: 'float8?',
  polled: 'boolean',
  waiting: 'jsonb?',
  /** The time after which a claim that may not go on now is tried again. Null: the claim is not judged. */
  heldInMs: 'float8?',
  /** The greatest age of the pool's reading that a claim may rely on. Null: no pool pays. */
  poolReadWithinMs: 'float8?',
  freesLane: 'boolean',
  providerOrderId: 'text?',
  externalReference: 'text?',
  action: 'jsonb?',
  payableUntil: 'timestamptz?',
  /** When the provider says that the news happened. */
  saidAt: 'timestamptz?',
  failureCode: 'text?',
  failureMessage: 'text?',
  calls: callColumns,
  journalId: 'uuid?',
  slot: 'text?',
  postings: postingColumns,
  caseId: 'uuid?',
  caseKind: 'text?',
  caseDetail: 'jsonb?',
  eventId: 'uuid?',
  /** The id of the delivery that carries on. Null: nothing is delivered. */
  deliveryId: 'uuid?',
  holdJournalId: 'uuid?',
  holdPostings: postingColumns,
  /** The rare parts of a plan. Null: it has none. */
  extra: 'jsonb?',
});

export type PlanRow = Row<typeof planColumns>;
