import {
  holdOf,
  isHeld,
  type Journal,
  journalOnEntering,
  type Parties,
  wallet,
} from '../../../core/money/postings.js';
import type { Payee } from '../../../core/payee.js';
import { Prisma } from '../../../generated/client.js';
import type { Approving } from '../../approvals/needed.js';
import { hasRoomNow } from '../../ceilings/day-counter.js';
import type { Run } from '../../database/database.js';
import { type Balance, balancesStatement } from '../../ledger/balances.js';
import { isAboveRequest, type RechargeAsk } from './ceiling-keeper.js';
import { type CreateProblem, problemOf, rowOf } from './create.js';
import {
  addressedRecharges,
  coveredRecharges,
  creditableRecharges,
  heldRechargeRows,
  type NewRechargeRow,
  withHold,
} from './create-statement.js';
import { newRechargeRows } from './insert-recharges.js';

/** A refusal that depends neither on the idempotency key nor on what a plan looked at before. */
export type TrialProblem = Exclude<
  CreateProblem,
  'key_used_with_other_body' | 'payee_changed' | 'plan_stopped'
>;

/** One check of a new recharge. `problem` is the refusal if it fails. */
export type TrialCheck = Readonly<{ problem: TrialProblem; ok: boolean }>;

/** What would become of a request for a recharge. */
export type Trial = Readonly<{
  /** The checks that were made. A check that depends on a failed one is missing. */
  checks: readonly TrialCheck[];
  /** The journals of the whole recharge up to its success. Empty if a check fails. */
  journals: readonly Journal[];
  /** The account's balance in the currency once these journals are booked. */
  balanceAfter: Balance;
  /** Whether a second person would have to approve the recharge. */
  isApprovalNeeded: boolean;
}>;

type TrialRow = Pick<Balance, 'availableMinor' | 'frozenMinor'> &
  Readonly<{
    refusal: 'no_payee' | 'other_currency' | null;
    provider: string | null;
    providerAccount: string;
    payee: Payee | null;
    hasBalance: boolean;
    hasRoom: boolean;
    isApprovalNeeded: boolean;
  }>;

/**
 * Judges a request by the parts of the statement that would store it. It stores nothing, locks nothing and reads no
 * idempotency key.
 */
export async function tryRecharge(run: Run, ask: RechargeAsk, approving: Approving): Promise<Trial> {
  const row = rowOf({ ...ask, idempotencyKey: `dry run ${ask.id}` });
  const [found] = await run<TrialRow>(trialStatement(row, ask, approving));
  if (!found) throw new Error('the trial of a recharge found no row');
  const checks = checksOf(row, ask, found);
  const journals = checks.every(({ ok }) => ok) ? journalsUpToSuccess(row, found) : [];
  const { isApprovalNeeded } = found;
  return { checks, journals, balanceAfter: afterJournals(row, found, journals), isApprovalNeeded };
}

function trialStatement(row: NewRechargeRow, { ceiling }: RechargeAsk, approving: Approving): Prisma.Sql {
  const { clientId, currency, accountId } = row;
  const dayMinor = ceiling?.dayMinor ?? null;
  const hasRoom = dayMinor === null ? Prisma.sql`true` : hasRoomNow({ clientId, currency, dayMinor });
  return Prisma.sql`
    with recursive
    ${isHeld(row) ? judgedByCover(row, approving) : judgedByRoom(row, approving)}
    select
      offered.refusal,
      offered.carrier as provider,
      offered."carrierAccount" as "providerAccount",
      offered.payee,
      offered."isApprovalNeeded",
      exists (select from passed) as "hasBalance",
      ${hasRoom} as "hasRoom",
      coalesce(balance."availableMinor", 0) as "availableMinor",
      coalesce(balance."frozenMinor", 0) as "frozenMinor"
    from addressed offered
    left join (${balancesStatement(accountId, currency)}) balance on true`;
}

const judgedByRoom = (row: NewRechargeRow, approving: Approving): Prisma.Sql => Prisma.sql`
    input as ${newRechargeRows.from([row])},
    ${addressedRecharges(approving)},
    ${creditableRecharges},
    passed as (select id from creditable)`;

const judgedByCover = (row: NewRechargeRow, approving: Approving): Prisma.Sql => {
  const held = withHold(row, () => row.id);
  return Prisma.sql`
    input as ${heldRechargeRows.from([held])},
    ${addressedRecharges(approving)},
    ${coveredRecharges([held.debit, held.credit], Prisma.empty)},
    passed as (select id from covered)`;
};

function checksOf(row: NewRechargeRow, ask: RechargeAsk, found: TrialRow): TrialCheck[] {
  const { ceiling } = ask;
  const checks: TrialCheck[] = [];
  const add = (problem: TrialProblem, ok: boolean): unknown => checks.push({ problem, ok });
  if (ceiling) add('above_ceiling', !isAboveRequest(ceiling, ask) && found.hasRoom);
  if (row.destination === 'cloud' || row.provider === null) add('no_payee', found.refusal !== 'no_payee');
  if (found.payee) add('other_currency', found.refusal !== 'other_currency');
  if (found.refusal) return checks;
  if (isHeld(row)) add(problemOf.uncovered, found.hasBalance);
  if (row.kind === 'collect') add('beyond_balance', found.hasBalance);
  return checks;
}

function journalsUpToSuccess(row: NewRechargeRow, { provider, providerAccount, payee }: TrialRow): Journal[] {
  if (provider === null) throw new Error('a recharge without a provider passed its checks');
  const first: Parties = { ...row, provider, providerAccount, money: row };
  if (row.kind !== 'collect' || payee === null) return journalsOf(first);
  const delivery: Parties = {
    ...first,
    kind: 'deliver',
    provider: payee.provider,
    providerAccount: payee.providerAccount,
  };
  return [...journalsOf(first), ...journalsOf(delivery)];
}

const journalsOf = (parties: Parties): Journal[] =>
  [isHeld(parties) ? holdOf(parties) : null, journalOnEntering('SUCCEEDED', parties)].filter(
    (journal) => journal !== null,
  );

function afterJournals(row: NewRechargeRow, found: TrialRow, journals: readonly Journal[]): Balance {
  const postings = journals.flatMap((journal) => journal.postings);
  const after = (part: 'available' | 'frozen', before: bigint): bigint => {
    const name = wallet(row.accountId, part);
    return postings.reduce(
      (sum, { debit, credit, money }) =>
        sum + (credit === name ? money.amountMinor : 0n) - (debit === name ? money.amountMinor : 0n),
      before,
    );
  };
  return {
    currency: row.currency,
    availableMinor: after('available', found.availableMinor),
    frozenMinor: after('frozen', found.frozenMinor),
  };
}
