import { columns, type Row } from '../database/rows.js';

/** One contact with a provider, as the statement writes it. A call of an intent has no times of its own yet. */
export const callColumns = columns({
  id: 'uuid',
  attempt: 'int',
  operation: 'text',
  outcome: 'text?',
  providerCode: 'text?',
  httpStatus: 'int?',
  startedAt: 'timestamptz?',
  endedAt: 'timestamptz?',
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
  /** The version that was decided on: a row that has another one by now is left alone. */
  version: 'int',
  provider: 'text?',
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
  providerOrderId: 'text?',
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
});

export type PlanRow = Row<typeof planColumns>;
