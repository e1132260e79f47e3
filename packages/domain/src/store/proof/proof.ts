import { Prisma } from '../../generated/client.js';
import { headOf } from '../chain/check.js';
import type { Head } from '../chain/links.js';
import type { Run } from '../database/database.js';
import { invariantNames, verify } from './verify.js';

export type BooksProof = Readonly<{
  at: Date;
  /**
   * The sum of all accounts per currency, which must be 0: the kept balances of the wallets and the entries of all
   * other accounts.
   */
  currencies: readonly Readonly<{ currency: string; sum: bigint; entries: bigint }>[];
  invariants: readonly Readonly<{ name: string; ok: boolean }>[];
  chain: Head & Readonly<{ unsealed: number }>;
}>;

export async function prove(survey: Run, now: () => Date): Promise<BooksProof> {
  const at = now();
  const broken = new Set((await verify(survey)).map(({ invariant }) => invariant));
  const currencies = await survey<BooksProof['currencies'][number]>(sums);
  const chain = await headOf(survey);
  return {
    at,
    currencies,
    invariants: invariantNames.map((name) => ({ name, ok: !broken.has(name) })),
    chain,
  };
}

const sums = Prisma.sql`
  with
  entered as (
    select
      currency,
      count(*) as entries,
      sum(case when credit_account like 'wallet:%' then 0 else amount_minor end)
        - sum(case when debit_account like 'wallet:%' then 0 else amount_minor end) as others
    from ledger_entry
    group by currency),
  kept as (
    select currency, sum(balance_minor) as wallets
    from ledger_account
    where name like 'wallet:%'
    group by currency)
  select
    coalesce(entered.currency, kept.currency) as currency,
    (coalesce(kept.wallets, 0) + coalesce(entered.others, 0))::bigint as sum,
    coalesce(entered.entries, 0)::bigint as entries
  from entered
  full join kept on kept.currency = entered.currency
  order by 1`;
