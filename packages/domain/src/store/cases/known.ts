import type { KnownCase } from '../../core/cases/case-kinds.js';
import { Prisma } from '../../generated/client.js';

type Suspended = Readonly<{ amountMinor: string; currency: string; providerOrderId: string | null }>;
export type CaseInJson = Omit<KnownCase, 'suspended' | 'ownLine'> &
  Readonly<{ suspended: readonly Suspended[]; ownLine: Suspended | null }>;

/**
 * An expression: the money of the line of a case of this alias, if it is the money of `recharge`. A line of another order
 * than that of the recharge is not.
 */
export const ownLineOf = (some: 'known' | 'some_case'): Prisma.Sql => {
  const of = Prisma.raw(some);
  return Prisma.sql`case
    when ${of}.kind = 'statement_different' and ${of}.detail -> 'money' = (${of}.detail -> 'ours') - 'state'
      and coalesce(${of}.detail ->> 'orderId' = recharge.provider_order_id, true)
      then (${of}.detail -> 'money') || jsonb_build_object('providerOrderId', ${of}.detail -> 'orderId') end`;
};

/** An expression: all cases of `recharge`. */
export const casesInJson = Prisma.sql`(
        select coalesce(jsonb_agg(jsonb_build_object(
          'id', known.id,
          'kind', known.kind,
          'isOpen', known.closed_at is null,
          'isAboutRecharge', known.subject = recharge.id::text,
          'suspended', known.suspended,
          'ownLine', ${ownLineOf('known')})), '[]')
        from reconciliation_case known
        where known.transaction_id = recharge.id)`;

type Held = Pick<CaseInJson, 'suspended' | 'ownLine'>;

/** The amounts come as digits, because JSON has no bigint. */
export const heldOf = ({ suspended, ownLine }: Held): Pick<KnownCase, 'suspended' | 'ownLine'> => ({
  suspended: suspended.map(moneyOf),
  ownLine: ownLine && moneyOf(ownLine),
});

const moneyOf = ({ amountMinor, ...rest }: Suspended) => ({ ...rest, amountMinor: BigInt(amountMinor) });

export function knownCases(rows: readonly CaseInJson[]): { cases: KnownCase[]; openCases: string[] } {
  const cases = rows.map((row) => ({ ...row, ...heldOf(row) }));
  const open = cases.filter(({ isOpen, isAboutRecharge }) => isOpen && isAboutRecharge);
  return { cases, openCases: open.map(({ kind }) => kind) };
}
