import { Prisma } from '../generated/client.js';
import type { Run } from './database.js';

/** An invariant of the books that does not hold, with a few of the rows that break it. */
export type Finding = Readonly<{ invariant: string; meaning: string; count: number; examples: string[] }>;

/** Each query returns the offending things as text. The names are stable: alerts and run books refer to them. */
const invariants: Record<string, { meaning: string; sql: string }> = {
  one_transaction_a_key: {
    meaning: 'a client and an idempotency key stand for one transaction',
    sql: `select client_id || ' ' || idempotency_key as broken from recharge_request
      group by client_id, idempotency_key having count(*) > 1`,
  },
  request_and_transaction: {
    meaning: 'every request has its transaction and every transaction its request',
    sql: `select coalesce(q.transaction_id, t.id)::text as broken from recharge_request q
      full join recharge_transaction t on t.id = q.transaction_id
      where q.transaction_id is null or t.id is null`,
  },
  books_close: {
    meaning: 'a wallet holds what its entries say: credits less debits',
    sql: `select a.name || ' ' || a.currency || ': ' || coalesce(a.balance_minor, 0) || ' kept, '
        || coalesce(s.sum, 0) || ' entered' as broken
      from (select name, currency, balance_minor from ledger_account where name like 'wallet:%') a
      full join (
        select account, currency, sum(delta) from (
          select credit_account as account, currency, amount_minor as delta from ledger_entry
          union all select debit_account, currency, -amount_minor from ledger_entry) side
        where account like 'wallet:%' group by 1, 2) s
      on s.account = a.name and s.currency = a.currency
      where coalesce(a.balance_minor, 0) <> coalesce(s.sum, 0)`,
  },
  known_accounts: {
    meaning: 'every side of every entry is an account of the chart',
    sql: `select distinct account as broken from (
        select debit_account as account, currency from ledger_entry
        union select credit_account, currency from ledger_entry) side
      where not exists (select from ledger_account a where a.name = side.account and a.currency = side.currency)`,
  },
  nothing_below_zero: {
    meaning: 'no wallet is overdrawn',
    sql: `select name || ' ' || currency as broken from ledger_account where balance_minor < 0`,
  },
  effect_matches_state: {
    meaning: 'a recharge has its one settlement exactly when it succeeded, of its own amount',
    sql: `select t.id::text as broken from recharge_transaction t
      left join lateral (
        select count(*) as n, sum(e.amount_minor) as amount, min(e.currency) as currency from ledger_journal j
        join ledger_entry e on e.journal_id = j.id
        where j.transaction_id = t.id and j.slot in ('collect', 'settle')) s on true
      where s.n <> (t.state = 'SUCCEEDED')::int
        or (t.state = 'SUCCEEDED' and (s.amount <> t.amount_minor or s.currency <> t.currency))`,
  },
  hold_given_back: {
    meaning: 'a delivery that failed or was canceled got its hold reversed',
    sql: `select t.id::text as broken from recharge_transaction t
      where t.kind = 'deliver' and t.state in ('FAILED', 'CANCELED')
        and not exists (select from ledger_journal j where j.transaction_id = t.id and j.slot = 'reverse')`,
  },
  frozen_is_unfinished: {
    meaning: 'frozen money is the money of unfinished deliveries',
    sql: `select coalesce(f.name, u.name) || ' ' || coalesce(f.currency, u.currency) as broken
      from (select name, currency, balance_minor from ledger_account where name like 'wallet:%:frozen') f
      full join (
        select 'wallet:' || account_id || ':frozen' as name, currency, sum(amount_minor) as amount
        from recharge_transaction where kind = 'deliver' and due_at is not null group by 1, 2) u
      on u.name = f.name and u.currency = f.currency
      where coalesce(f.balance_minor, 0) <> coalesce(u.amount, 0)`,
  },
  legal_chain: {
    meaning: 'transitions have no gap, each begins where the last ended, and every move is legal',
    sql: `select transaction_id || ' #' || seq as broken from (
        select transaction_id, seq, verdict, from_state, to_state,
          lag(seq, 1, 0) over chain as last_seq, lag(to_state, 1, 'CREATED') over chain as last_state
        from transition window chain as (partition by transaction_id order by seq)) t
      where seq <> last_seq + 1 or from_state <> last_state
        or (verdict = 'moved' and not is_legal_move(from_state, to_state) and from_state <> to_state)`,
  },
  state_is_last_transition: {
    meaning: 'the state is the one that the last transition led to',
    sql: `select t.id::text as broken from recharge_transaction t
      left join transition x on x.transaction_id = t.id and x.seq = t.seq
      where coalesce(x.to_state, 'CREATED') <> t.state`,
  },
  nothing_forgotten: {
    meaning: 'every unfinished recharge and every unprocessed event has a due time',
    sql: `select id::text as broken from recharge_transaction
        where due_at is null and state not in ('SUCCEEDED', 'FAILED', 'CANCELED')
      union all select id::text from webhook_event where processed_at is null and due_at is null`,
  },
  intent_before_effect: {
    meaning: 'whatever was submitted has its provider call on record',
    sql: `select t.id::text as broken from recharge_transaction t
      where t.attempt > 0 and t.attempt <> (select count(distinct c.attempt) from provider_call c
        where c.transaction_id = t.id and c.operation = 'submit')`,
  },
  conflict_has_case: {
    meaning: 'every conflict that was filed has a case, open or closed',
    sql: `select distinct x.transaction_id::text as broken from transition x
      where x.verdict = 'conflict'
        and not exists (select from reconciliation_case c where c.transaction_id = x.transaction_id)`,
  },
};

export const invariantNames: readonly string[] = Object.keys(invariants);

/** Checks every invariant of the books. Empty: all hold. */
export async function verify(survey: Run): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [invariant, { meaning, sql }] of Object.entries(invariants)) {
    const rows = await survey<{ broken: string; total: number }>(
      Prisma.sql`select broken, count(*) over ()::int as total from (${Prisma.raw(sql)}) found limit 5`,
    );
    if (rows.length === 0) continue;
    findings.push({ invariant, meaning, count: rows[0]!.total, examples: rows.map((row) => row.broken) });
  }
  return findings;
}
