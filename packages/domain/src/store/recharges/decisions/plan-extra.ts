import type { Decision } from '../../../core/decision.js';
import type { Journal } from '../../../core/money/postings.js';
import { type ActionRow, actionColumns } from '../../cases/action.js';
import { columns, type Row } from '../../database/rows.js';
import { storable } from '../../database/storable.js';
import type { OperatorAction, RechargeReport } from '../report.js';
import { postingColumns } from './plan-row.js';

const REASON_MAX = 500;

export const furtherColumns = columns({ journalId: 'uuid', slot: 'text', postings: postingColumns });
export const suspendedColumns = columns({
  amountMinor: 'bigint',
  currency: 'text',
  providerOrderId: 'text?',
});
export const settledColumns = columns({ caseId: 'uuid', because: 'text' });
export const returnedColumns = columns({ id: 'uuid', amountMinor: 'bigint', currency: 'text' });

const extraColumns = columns({
  further: furtherColumns,
  suspended: suspendedColumns,
  settled: settledColumns,
  actions: actionColumns,
  returned: returnedColumns,
  /** The id of the case that is opened again, since its money was not paid back. */
  reopenedId: 'uuid?',
  isSentAgain: 'boolean',
});

/** The rare parts of a plan. Each is a list of one row or none. */
export type PlanExtra = Row<typeof extraColumns>;

/** Null if the decision has none of the rare parts. A plan without them costs the database no further columns. */
export function extraOf(decision: Decision, report: RechargeReport, newId: () => string): PlanExtra | null {
  const { furtherJournal, suspended, settled, resolved, reopens } = decision;
  if (!furtherJournal && !suspended && settled.length === 0 && !resolved && !reopens) return null;
  const returned = resolved?.returned ? [{ id: newId(), ...resolved.returned }] : [];
  return {
    further: furtherJournal ? [furtherRow(furtherJournal, newId())] : [],
    suspended: suspended ? [suspended] : [],
    settled,
    actions: report.operator ? [actionRow(report, report.operator, returned[0]?.id ?? null)] : [],
    returned: returned.map(({ id, amountMinor, currency }) => ({ id, amountMinor, currency })),
    reopenedId: reopens ? newId() : null,
    isSentAgain: resolved?.isSentAgain ?? false,
  };
}

/** The rare parts in a form that JSON can hold. */
export const plainExtra = (extra: PlanExtra | null): object | null =>
  extra && extraColumns.plain([extra])[0]!;

const furtherRow = ({ slot, postings }: Journal, journalId: string) => ({
  journalId,
  slot,
  postings: postings.map(({ debit, credit, money }) => ({ debit, credit, ...money })),
});

function actionRow(
  { resolution }: RechargeReport,
  { id, actor, role, evidence, key }: OperatorAction,
  returnedBy: string | null,
): ActionRow {
  if (!resolution) throw new Error(`action ${id} has no resolution`);
  return {
    ...{ id, actor, role, evidence, returnedBy },
    caseId: resolution.caseId,
    verb: resolution.verb,
    reason: storable(resolution.reason, REASON_MAX),
    clientId: key?.clientId ?? null,
    idempotencyKey: key?.idempotencyKey ?? null,
    fingerprint: key?.fingerprint ?? null,
  };
}
