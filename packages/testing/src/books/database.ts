import type pg from 'pg';

/** The invariants that can be checked by the stable views. Each query returns the rows that break one, as text. */
const queries: Readonly<Record<string, string>> = {
  'INV2: one transaction per client and key': `
    select client_id || ' ' || idempotency_key from report.recharges group by client_id, idempotency_key
    having count(*) > 1`,
  'INV3: postings are positive and have two sides': `
    select journal_id::text from report.postings where amount <= 0 or debit_account = credit_account`,
  'INV3: the books close': `
    select currency || ' ' || sum(delta) from (
      select currency, amount as delta from report.postings
      union all select currency, -amount from report.postings) side
    group by currency having sum(delta) <> 0`,
  'INV3: the balance of a wallet is the sum of its postings': `
    select account || ' ' || currency || ': ' || coalesce(held, 0) || ' held, ' || coalesce(posted, 0) || ' posted'
    from (
      select account, currency, sum(delta) as posted from (
        select credit_account as account, currency, amount as delta from report.postings
        union all select debit_account, currency, -amount from report.postings) side
      where account like 'wallet:%' group by 1, 2) p
    full join (
      select 'wallet:' || account_id || ':available' as account, currency, available as held from report.wallets
      union all select 'wallet:' || account_id || ':frozen', currency, frozen from report.wallets) w
    using (account, currency)
    where coalesce(held, 0) <> coalesce(posted, 0)`,
  'INV4: exactly one effect if it succeeded, none otherwise': `
    select r.transaction_id || ' ' || state from report.recharges r
    left join (select transaction_id, count(distinct journal_id) as n, count(*) as lines, sum(amount) as amount,
        min(currency) as currency
      from report.postings where slot in ('settle', 'collect', 'adopt') group by 1) p using (transaction_id)
    where (state = 'SUCCEEDED') <> (coalesce(n, 0) = 1)
      or (state = 'SUCCEEDED' and (lines <> 1 or p.amount <> r.amount or p.currency <> r.currency))`,
  'INV4: a delivery from a wallet holds its amount, and a failed one reverses the hold': `
    select r.transaction_id || ' ' || state from report.recharges r
    where kind in ('deliver', 'refund') and funding = 'wallet' and (
      (select coalesce(sum(amount), 0) from report.postings p where p.transaction_id = r.transaction_id
        and slot = 'hold') <> amount
      or (select coalesce(sum(amount), 0) from report.postings p where p.transaction_id = r.transaction_id
        and slot = 'reverse') <> case when state in ('FAILED', 'CANCELED') then amount else 0 end)`,
  'INV5: frozen money is unfinished money': `
    select coalesce(w.account_id, u.account_id) || ' ' || coalesce(w.currency, u.currency) from report.wallets w
    full join (select account_id, currency, sum(amount) as amount from report.recharges
      where kind in ('deliver', 'refund') and funding = 'wallet' and state not in ('SUCCEEDED', 'FAILED', 'CANCELED') group by 1, 2) u
    on u.account_id = w.account_id and u.currency = w.currency
    where coalesce(w.frozen, 0) <> coalesce(u.amount, 0)`,
  'INV5: nothing below zero': `
    select account_id || ' ' || currency from report.wallets where available < 0 or frozen < 0`,
  'INV6: transitions are a chain without gaps': `
    select transaction_id || ' #' || seq from (
      select *, lag(seq, 1, 0) over chain as last_seq, lag(to_state, 1, 'CREATED') over chain as last_state
      from report.transitions window chain as (partition by transaction_id order by seq)) t
    where seq <> last_seq + 1 or from_state <> last_state`,
  'INV6: every move is legal, and nothing else moves': `
    select transaction_id || ' #' || seq || ': ' || from_state || ' to ' || to_state || ' ' || verdict
    from report.transitions t
    where case when verdict <> 'moved' then from_state <> to_state
      else (from_state, to_state) not in (
        ('CREATED', 'SUBMITTED'), ('CREATED', 'CANCELED'),
        ('SUBMITTED', 'PENDING_CONFIRMATION'), ('SUBMITTED', 'SUCCEEDED'), ('SUBMITTED', 'FAILED'),
        ('PENDING_CONFIRMATION', 'SUCCEEDED'), ('PENDING_CONFIRMATION', 'FAILED'),
        ('PENDING_CONFIRMATION', 'CANCELED'))
        and not ((from_state, to_state) in (('FAILED', 'SUCCEEDED'), ('CANCELED', 'SUCCEEDED'))
          and (news, source) = ('adopted', 'operator')
          and exists (select from report.operator_actions a
            where a.subject = t.transaction_id::text and a.verb = 'adopt')) end`,
  'INV6: the state is where the chain ends': `
    select r.transaction_id || ' ' || state from report.recharges r
    where state <> coalesce((select to_state from report.transitions t where t.transaction_id = r.transaction_id
      order by seq desc limit 1), 'CREATED')`,
  'INV6: a conflict has its case': `
    select distinct transaction_id::text from report.transitions t where verdict = 'conflict'
      and not exists (select from report.cases c where c.transaction_id = t.transaction_id)`,
  'INV5: money in suspense waits for a person or for its return': `
    select id || ' ' || currency || ': ' || sum(delta) from (
      select coalesce(r.refund_of, r.transaction_id) as id, p.currency,
        case when p.credit_account like 'suspense:%' then p.amount else -p.amount end as delta
      from report.postings p join report.recharges r using (transaction_id)
      where p.credit_account like 'suspense:%' or p.debit_account like 'suspense:%') moved
    where not exists (select from report.cases c join report.recharges r using (transaction_id)
        where moved.id in (r.transaction_id, r.refund_of) and c.closed_at is null)
      and not exists (select from report.recharges refund
        where refund.refund_of = moved.id and refund.funding = 'suspense' and refund.due_at is not null)
    group by id, currency having sum(delta) <> 0`,
  'INV7: the unfinished has a due time': `
    select transaction_id::text from report.recharges
      where due_at is null and state not in ('SUCCEEDED', 'FAILED', 'CANCELED')
    union all select event_id from report.webhooks where due_at is null and processed_at is null`,
  'INV7: nothing is overdue': `
    select transaction_id::text from report.recharges where due_at < now() - interval '30 s'
    union all select event_id from report.webhooks where due_at < now() - interval '30 s'`,
  'INV10: an event is stored once': `
    select provider || ' ' || event_id from report.webhooks group by provider, event_id having count(*) > 1`,
  'INV10: an event is processed in the end': `
    select event_id from report.webhooks where processed_at is null and verdict is distinct from 'unread'`,
};

const EXAMPLES = 3;

export async function findingsInDatabase(db: pg.Client): Promise<string[]> {
  const findings: string[] = [];
  for (const [invariant, text] of Object.entries(queries)) {
    const { rows } = await db.query<[string]>({ text, rowMode: 'array' });
    findings.push(...finding(invariant, rows.flat()));
  }
  return findings;
}

/** At most one finding per invariant, with some examples. */
export function finding(invariant: string, broken: readonly string[]): string[] {
  if (broken.length === 0) return [];
  return [`${invariant}: ${broken.length} break it: ${broken.slice(0, EXAMPLES).join('; ')}`];
}
