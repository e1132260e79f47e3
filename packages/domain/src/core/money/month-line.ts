import type { Kind } from './postings.js';

/**
 * What a line of a statement of an account is about. Holds are lines, because a statement is of available money.
 * - `collect`: collected money came in.
 * - `recall`: delivered money came back.
 * - `hold`: money was set aside for a delivery or a refund.
 * - `reverse`: the money of a hold was given back.
 * - `adopt`: late money was booked.
 * - `credit`: other money was booked out of suspense.
 */
export const monthLineKinds = ['collect', 'recall', 'hold', 'reverse', 'adopt', 'credit'] as const;
export type MonthLineKind = (typeof monthLineKinds)[number];

/** The kind of a line, from the slot of its journal and the kind of its transaction. */
export function monthLineKindOf(slot: string, transaction: Kind): MonthLineKind {
  const name = slot.replace(/_\d+$/, '');
  if (name === 'collect' && transaction === 'recall') return 'recall';
  const kind = monthLineKinds.find((one) => one === name);
  if (!kind) throw new Error(`the slot ${slot} never touches a wallet's available money`);
  return kind;
}
