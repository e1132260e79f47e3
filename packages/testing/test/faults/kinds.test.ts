import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { CaseKind } from '@replenish/domain';

/** Where each kind of case is opened through a fleet, and settled by each of its verbs. */
const settledIn: Readonly<Record<CaseKind, string>> = {
  wrong_amount: 'faults/cases.chaos.test.ts',
  several_orders: 'faults/cases.chaos.test.ts',
  other_account: 'faults/cases.chaos.test.ts',
  unsent_order: 'faults/cases.chaos.test.ts',
  late_money: 'faults/cases.chaos.test.ts',
  declined_after_success: 'faults/cases.chaos.test.ts',
  cancel_conflict: 'faults/cases.chaos.test.ts',
  absent_order: 'faults/cases.chaos.test.ts',
  absence_unproven: 'whole/partners.long.test.ts',
  booked_elsewhere: 'faults/statement-cases.chaos.test.ts',
  unknown_order: 'faults/cases.chaos.test.ts',
  unread_event: 'faults/cases.chaos.test.ts',
  unprocessable: 'faults/cases.chaos.test.ts',
  unprocessable_event: 'faults/cases.chaos.test.ts',
  event_changed: 'faults/cases.chaos.test.ts',
  statement_ours_only: 'faults/statement-cases.chaos.test.ts',
  statement_theirs_only: 'faults/statement-cases.chaos.test.ts',
  statement_different: 'faults/statement-cases.chaos.test.ts',
  statement_gap: 'faults/statement-cases.chaos.test.ts',
};

test.each(Object.entries(settledIn))('a case %s is settled in %s', (kind, file) => {
  expect(readFileSync(join(import.meta.dirname, '..', file), 'utf8')).toContain(`'${kind}'`);
});
