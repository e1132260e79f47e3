import { BALANCE_MINOR_MAX } from '../../core/money/money.js';
import { isHeld } from '../../core/money/postings.js';
import { Prisma } from '../../generated/client.js';
import type { Ceiling } from '../ceilings/ceiling.js';
import { THIS_DAY_STEP } from '../ceilings/day-counter.js';
import type { Run } from '../database/database.js';
import { isAboveRequest, type RechargeAsk } from '../recharges/creation/ceiling-keeper.js';
import { rowOf } from '../recharges/creation/create.js';
import { addressedRecharges, type NewRechargeRow } from '../recharges/creation/create-statement.js';
import { newRechargeRows } from '../recharges/creation/insert-recharges.js';
import type { TrialProblem } from '../recharges/creation/trial.js';

type TriedRow = Readonly<{
  id: string;
  refusal: 'no_payee' | 'other_currency' | null;
  availableMinor: bigint;
}>;

/**
 * What would become of the recharges of a plan, if they were all created now in this order: the refusals by id. All are
 * of one client and currency. It stores nothing and locks nothing.
 */
export async function tryPlan(
  run: Run,
  asks: readonly RechargeAsk[],
  ceiling: Ceiling | undefined,
): Promise<ReadonlyMap<string, TrialProblem>> {
  const rows = asks.map(rowOf);
  const [first] = rows;
  if (!first) return new Map();
  const tried = new Map((await run<TriedRow>(triedRows(rows))).map((row) => [row.id, row]));
  const hasRoom = await roomUnder(run, first, ceiling);
  const left = new Map<string, bigint>();
  const refusals = new Map<string, TrialProblem>();
  for (const row of rows) {
    const { refusal, availableMinor } = tried.get(row.id)!;
    const problem = refusal ?? (hasRoom(row) ? walletProblem(row, availableMinor, left) : 'above_ceiling');
    if (problem) refusals.set(row.id, problem);
  }
  return refusals;
}

/** The payees and the wallets, by the part of the statement that creates recharges. */
const triedRows = (rows: readonly NewRechargeRow[]): Prisma.Sql => Prisma.sql`
  with
  input as materialized ${newRechargeRows.from(rows)},
  ${addressedRecharges({ approvesFirst: false })}
  select addressed.id, addressed.refusal, coalesce(wallet.balance_minor, 0) as "availableMinor"
  from addressed
  left join ledger_account wallet on wallet.name = 'wallet:' || addressed."accountId" || ':available'
    and wallet.currency = addressed.currency`;

/** Each line that is paid from a wallet leaves the next one less. */
function walletProblem(
  row: NewRechargeRow,
  availableMinor: bigint,
  left: Map<string, bigint>,
): TrialProblem | null {
  if (row.kind === 'collect')
    return availableMinor + row.amountMinor > BALANCE_MINOR_MAX ? 'beyond_balance' : null;
  if (!isHeld(row)) return null;
  const rest = left.get(row.accountId) ?? availableMinor;
  if (row.amountMinor > rest) return 'insufficient_balance';
  left.set(row.accountId, rest - row.amountMinor);
  return null;
}

/** A function that counts amounts towards the ceiling, and tells whether it has room for them. */
async function roomUnder(
  run: Run,
  { clientId, currency }: NewRechargeRow,
  ceiling: Ceiling | undefined,
): Promise<(row: NewRechargeRow) => boolean> {
  if (!ceiling) return () => true;
  const { dayMinor } = ceiling;
  const [day] = await run<{ counted: bigint }>(Prisma.sql`
    select coalesce(sum(day_sum(amounts, ${THIS_DAY_STEP})), 0)::bigint as counted
    from day_counter
    where client_id = ${clientId}::uuid and currency = ${currency}`);
  let counted = day!.counted;
  return (row) => {
    if (isAboveRequest(ceiling, row)) return false;
    if (dayMinor !== null && counted + row.amountMinor > dayMinor) return false;
    counted += row.amountMinor;
    return true;
  };
}
