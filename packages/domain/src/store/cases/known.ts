import type { KnownCase } from '../../core/cases/case-kinds.js';
import { Prisma } from '../../generated/client.js';

type Suspended = Readonly<{ amountMinor: string; currency: string; providerOrderId: string | null }>;
export type CaseInJson = Omit<KnownCase, 'suspended'> & Readonly<{ suspended: readonly Suspended[] }>;

/** An expression: all cases of `recharge`. */
export const casesInJson = Prisma.sql`(
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', known.id,
          'kind', known.kind,
          'isOpen', known.closed_at is null,
          'isAboutRecharge', known.subject = recharge.id::text,
          'suspended', known.suspended)), '[]')
        from reconciliation_case known
        where known.transaction_id = recharge.id)`;

/** The amounts come as digits, because JSON has no bigint. */
export const suspendedOf = (list: readonly Suspended[]): KnownCase['suspended'] =>
  list.map(({ amountMinor, ...rest }) => ({ ...rest, amountMinor: BigInt(amountMinor) }));

export function knownCases(rows: readonly CaseInJson[]): { cases: KnownCase[]; openCases: string[] } {
  const cases = rows.map((row) => ({ ...row, suspended: suspendedOf(row.suspended) }));
  const open = cases.filter(({ isOpen, isAboutRecharge }) => isOpen && isAboutRecharge);
  return { cases, openCases: open.map(({ kind }) => kind) };
}
