import { hash } from 'node:crypto';
import type { Verb } from '../../core/cases/case-verbs.js';
import { refusalOf, resolve } from '../../core/cases/resolution.js';
import type { Money } from '../../core/money/money.js';
import { type Journal, type Parties, partiesOf } from '../../core/money/postings.js';
import type { State } from '../../core/recharge.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { returnedFunding } from '../refunds/original.js';
import { type CaseInJson, casesInJson, knownCases } from './known.js';
import { caseById } from './list.js';
import { canReturn, type IsRefunding } from './view.js';

/** A wallet or another account with a running balance, before and after a verb. */
export type BalanceChange = Readonly<{
  account: string;
  currency: string;
  beforeMinor: bigint;
  afterMinor: bigint;
}>;

/** What a verb would do to a case, decided by the code that carries it out. */
export type CasePreview = Readonly<{
  /** The state of the recharge now. Null: the case is about no recharge, so only the case is closed. */
  from: State | null;
  to: State | null;
  journals: readonly Journal[];
  balances: readonly BalanceChange[];
  failure: Readonly<{ code: string; message: string }> | null;
  /** The money that a refund would pay back. */
  returned: Money | null;
  /** Whether the order would be sent again. */
  isSentAgain: boolean;
  /** Changes when the recharge, its cases or the effect of the verb change. Balances do not count. */
  stamp: string;
}>;

type PreviewRow = Omit<Parties, 'money'> &
  Money & {
    id: string;
    state: State;
    version: number;
    slots: readonly string[];
    cases: CaseInJson[];
  };

/** Null if there is no such case, or it does not offer the verb now. */
export async function previewCase(
  run: Run,
  { caseId, verb, reason }: Readonly<{ caseId: string; verb: Verb; reason: string }>,
  isRefunding: IsRefunding,
): Promise<CasePreview | null> {
  const seen = await caseById(run, caseId, null, isRefunding);
  if (!seen?.verbs.includes(verb)) return null;
  if (seen.transactionId === null) return aloneOf(seen.id, verb);
  const row = await readRow(run, seen.transactionId);
  if (!row) return null;
  const { cases } = knownCases(row.cases);
  const resolvable = { state: row.state, slots: row.slots, cases };
  const isReturnable = canReturn(row, isRefunding);
  const { suspended = [] } = cases.find(({ id }) => id === seen.id) ?? {};
  const resolution = { caseId: seen.id, verb, reason, isReturnable, seenSums: suspended.length };
  if (refusalOf(resolvable, resolution) !== null) return null;
  const done = resolve(resolvable, partiesOf(row), resolution);
  const journals = [done.journal, done.furtherJournal].filter((journal) => journal !== null);
  return {
    from: row.state,
    to: done.to,
    journals,
    balances: await balancesAfter(run, journals),
    failure: done.failure,
    returned: done.returned,
    isSentAgain: done.isSentAgain,
    stamp: stampOf([seen.id, verb, row.version, row.state, row.slots.length, cases.filter(isOpen).length]),
  };
}

const isOpen = ({ isOpen: open }: { isOpen: boolean }): boolean => open;

const aloneOf = (caseId: string, verb: Verb): CasePreview => ({
  ...{ from: null, to: null, journals: [], balances: [], failure: null, returned: null, isSentAgain: false },
  stamp: stampOf([caseId, verb]),
});

const stampOf = (facts: readonly (string | number)[]): string =>
  hash('sha256', JSON.stringify(facts)).slice(0, 16);

async function readRow(run: Run, id: string): Promise<PreviewRow | null> {
  const [row] = await run<PreviewRow>(Prisma.sql`
    select
      recharge.id,
      recharge.kind,
      recharge.state,
      recharge.version,
      recharge.account_id as "accountId",
      recharge.amount_minor as "amountMinor",
      recharge.currency,
      recharge.provider,
      recharge.provider_account as "providerAccount",
      recharge.funding,
      ${returnedFunding} as "returnedFunding",
      array(
        select journal.slot
        from ledger_journal journal
        where journal.transaction_id = recharge.id) as slots,
      ${casesInJson} as cases
    from recharge_transaction recharge
    where recharge.id = ${id}::uuid`);
  return row ?? null;
}

/** The running balances that the journals would change. Accounts other than wallets have none and are left out. */
export async function balancesAfter(run: Run, journals: readonly Journal[]): Promise<BalanceChange[]> {
  const postings = journals.flatMap((journal) => journal.postings);
  const wallets = postings.flatMap(({ debit, credit, money: { currency } }) =>
    [debit, credit].filter((name) => name.startsWith('wallet:')).map((name) => ({ name, currency })),
  );
  const names = [...new Set(wallets.map(({ name }) => name))];
  if (names.length === 0) return [];
  const rows = await run<{ name: string; currency: string; balanceMinor: bigint }>(Prisma.sql`
    select name, currency, balance_minor as "balanceMinor"
    from ledger_account
    where name = any(${names}::text[])`);
  const key = ({ name, currency }: Readonly<{ name: string; currency: string }>) => `${currency} ${name}`;
  const before = new Map(rows.map((row) => [key(row), row.balanceMinor]));
  const touched = [...new Map(wallets.map((one) => [key(one), one])).values()];
  return touched.flatMap(({ name, currency }) => {
    // A wallet begins with its first posting.
    const balanceMinor = before.get(key({ name, currency })) ?? 0n;
    const change = postings.reduce((sum, { debit, credit, money }) => {
      if (money.currency !== currency) return sum;
      return sum + (credit === name ? money.amountMinor : 0n) - (debit === name ? money.amountMinor : 0n);
    }, 0n);
    if (change === 0n) return [];
    return [{ account: name, currency, beforeMinor: balanceMinor, afterMinor: balanceMinor + change }];
  });
}
