import { hash } from 'node:crypto';
import type { MoneyDestination } from '../recharges/creation/new-recharge.js';

/** One line of a plan. Its currency is the plan's. */
export type PlanLine = Readonly<{
  /** The client's number of the line. */
  line: number;
  accountId: string;
  amountMinor: bigint;
  paymentMethod: string;
  /** The name of our account at the provider that collects. Null: the default one. */
  providerAccount: string | null;
  destination: MoneyDestination | null;
  orderReference: string | null;
}>;

/** A validated plan. `totalMinor` is the sum of its lines. */
export type NewPlan = Readonly<{
  id: string;
  clientId: string;
  /** The idempotency key of the request. Null: an operator makes the plan. */
  idempotencyKey: string | null;
  name: string;
  currency: string;
  totalMinor: bigint;
  /** The limit for the sum of the lines. Null: there is none. */
  budgetMinor: bigint | null;
  /** The most that goes to a new payee before something has arrived there. Null: no such limit. */
  canaryMinor: bigint | null;
  lines: readonly PlanLine[];
  /** The id of a key, or `operator`. */
  createdBy: string;
  correlationId: string;
}>;

/** The identity of a plan's content. Its form, and the order of its lines, do not count. */
export function planFingerprint({ name, currency, budgetMinor, canaryMinor, lines }: NewPlan): string {
  const rows = [...lines]
    .sort((a, b) => a.line - b.line)
    .map((one) => [
      ...[one.line, one.accountId, one.amountMinor.toString(), one.paymentMethod],
      ...[one.destination, one.orderReference],
      // Plans that were stored before lines could name an account keep their fingerprints.
      ...(one.providerAccount === null ? [] : [one.providerAccount]),
    ]);
  // A plan without a canary has the fingerprint that it had before there were canaries.
  const canary = canaryMinor === null ? [] : [{ canary: canaryMinor.toString() }];
  return hash('sha256', JSON.stringify([name, currency, budgetMinor?.toString() ?? null, rows, ...canary]));
}
