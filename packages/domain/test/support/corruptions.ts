const one = (label: string): string =>
  `(select id from recharge_transaction where order_reference = '${label}')`;

export type Corruption = Readonly<{
  invariant: string;
  how: string;
  /** Other invariants that the same rows break. */
  also?: readonly string[];
  sql: string;
}>;

/**
 * Changes that break each invariant. The superuser's session runs no triggers and checks no foreign keys. A constraint
 * that would still refuse the change is dropped first, as a faulty migration might do.
 */
export const corruptions: readonly Corruption[] = [
  {
    invariant: 'one_transaction_a_key',
    how: 'two requests with one key',
    sql: `drop index recharge_request_client_id_idempotency_key_key;
     insert into recharge_request select '00000000-0000-4000-8000-000000000001', client_id, idempotency_key,
       fingerprint, metadata, product_type, plan_id, requested_at, correlation_id from recharge_request
       where transaction_id = ${one('collect created')};
     insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
         provider, next_step, due_at)
       select '00000000-0000-4000-8000-000000000001', client_id, account_id, kind, state, amount_minor, currency,
         payment_method, provider, next_step, due_at from recharge_transaction where id = ${one('collect created')}`,
  },
  {
    invariant: 'request_and_transaction',
    how: 'a deleted request',
    sql: `delete from recharge_request where transaction_id = ${one('collect created')}`,
  },
  {
    invariant: 'request_and_transaction',
    how: 'a deleted transaction',
    sql: `delete from recharge_transaction where id = ${one('collect created')}`,
  },
  {
    invariant: 'known_client',
    how: 'a deleted client',
    sql: `delete from client where name = 'other books'`,
  },
  {
    invariant: 'same_client',
    how: 'a request of one client for the recharge of another',
    sql: `update recharge_request set client_id = '00000000-0000-7000-8000-00000000000b'
       where transaction_id = ${one('collect created')}`,
  },
  {
    invariant: 'books_close',
    how: 'a wallet with a cent too many',
    sql: `update ledger_account set balance_minor = balance_minor + 1 where name = 'wallet:acct-1:available'`,
  },
  {
    invariant: 'books_close',
    how: 'an entry of another amount',
    also: ['own_accounts', 'running_balances'],
    sql: `update ledger_entry set amount_minor = amount_minor + 1 where credit_account = 'wallet:acct-1:available'
       and transaction_id = ${one('deliver failed')}`,
  },
  {
    invariant: 'known_accounts',
    how: 'an account missing from the chart',
    sql: `delete from ledger_account where name = 'suspense:sandbox'`,
  },
  {
    invariant: 'snapshots_add_up',
    how: 'a snapshot with a cent too few',
    sql: `insert into ledger_snapshot (account, currency, entry_id, balance)
       select 'provider:sandbox:clearing', currency, max(id), sum(
         case when credit_account = 'provider:sandbox:clearing' then amount_minor else -amount_minor end) - 1
       from ledger_entry where 'provider:sandbox:clearing' in (debit_account, credit_account)
       group by currency limit 1`,
  },
  {
    invariant: 'nothing_below_zero',
    how: 'an overdraft with correct entries',
    also: ['own_accounts', 'running_balances', 'suspense_has_case', 'suspense_is_decided'],
    sql: `with j as (insert into ledger_journal (id, transaction_id, slot)
       values (gen_random_uuid(), ${one('collect created')}, 'suspense') returning id, transaction_id)
     insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select id, transaction_id, 'wallet:broke:available', 'suspense:sandbox', 5, 'USD' from j;
     insert into ledger_account values ('wallet:broke:available', 'USD', -5)`,
  },
  {
    invariant: 'effect_matches_state',
    how: 'a recharge whose amount differs from its posting',
    also: ['own_accounts'],
    sql: `update recharge_transaction set amount_minor = amount_minor + 1 where id = ${one('collect succeeded')}`,
  },
  {
    invariant: 'effect_matches_state',
    how: 'a settlement in another slot',
    also: ['own_accounts', 'suspense_has_case'],
    sql: `update ledger_journal set slot = 'suspense' where slot = 'settle' and transaction_id = ${one('deliver succeeded')}`,
  },
  {
    invariant: 'effect_matches_state',
    how: 'a settlement of a failed recharge, in two entries',
    also: ['own_accounts'],
    sql: `with j as (insert into ledger_journal (id, transaction_id, slot)
       values (gen_random_uuid(), ${one('collect failed')}, 'collect') returning id, transaction_id)
     insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select id, transaction_id, debit, credit, 100, 'USD' from j, (values
         ('suspense:sandbox', 'provider:sandbox:clearing'), ('provider:sandbox:clearing', 'suspense:sandbox'))
         as e(debit, credit)`,
  },
  {
    invariant: 'own_accounts',
    how: 'the money of one account in the wallet of another',
    sql: `update ledger_entry set credit_account = 'wallet:thief:available', credit_balance_minor = amount_minor
       where transaction_id = ${one('other client')};
     update ledger_account set name = 'wallet:thief:available' where name = 'wallet:acct-victim:available'`,
  },
  {
    invariant: 'own_accounts',
    how: 'a recharge whose provider changed after its settlement',
    sql: `update recharge_transaction set provider = 'alipay' where id = ${one('collect succeeded')}`,
  },
  {
    invariant: 'own_accounts',
    how: 'a hold in another slot',
    sql: `update ledger_journal set slot = 'suspense' where slot = 'hold' and transaction_id = ${one('deliver contradicted')}`,
  },
  {
    invariant: 'own_accounts',
    how: 'a delivery of the house whose provider account changed after its settlement',
    sql: `update recharge_transaction set provider_account = 'second' where id = ${one('house deliver submit accepted settled')}`,
  },
  {
    invariant: 'own_accounts',
    how: 'money that was recalled to the house in the slot of a payment',
    sql: `update ledger_journal set slot = 'settle' where slot = 'collect'
       and transaction_id = ${one('house recall submit accepted settled')}`,
  },
  {
    invariant: 'own_accounts',
    how: 'a delivery of the house that claims to be paid by the wallet',
    sql: `update recharge_transaction set funding = 'wallet' where id = ${one('house deliver submit accepted settled')}`,
  },
  {
    invariant: 'own_accounts',
    how: 'an entry without a journal',
    sql: `insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       values (gen_random_uuid(), ${one('collect succeeded')}, 'provider:sandbox:clearing', 'house:main', 7, 'USD')`,
  },
  {
    invariant: 'own_accounts',
    how: 'a deleted recharge whose entries are left',
    also: ['request_and_transaction'],
    sql: `delete from recharge_transaction where id = ${one('collect late')}`,
  },
  {
    invariant: 'running_balances',
    how: 'changed balances of entries',
    sql: `update ledger_entry set credit_balance_minor = credit_balance_minor + 1
       where credit_account = 'wallet:acct-1:available'`,
  },
  {
    invariant: 'suspense_has_case',
    how: 'money in suspense without a case',
    also: ['suspense_is_decided'],
    sql: `insert into ledger_account (name, currency) values ('suspense:sandbox', 'USD') on conflict do nothing;
     with j as (insert into ledger_journal (id, transaction_id, slot)
       values (gen_random_uuid(), ${one('collect created')}, 'suspense') returning id, transaction_id)
     insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select id, transaction_id, 'provider:sandbox:clearing', 'suspense:sandbox', 5000, 'USD' from j`,
  },
  {
    invariant: 'suspense_is_decided',
    how: 'a case that is closed while its money is in suspense',
    sql: `update reconciliation_case set closed_at = now() where subject = ${one('collect late')}::text`,
  },
  {
    invariant: 'order_booked_once',
    how: 'money of the order of another recharge in suspense',
    sql: `update recharge_transaction set provider_order_id = 'of another' where id = ${one('collect succeeded')};
     update reconciliation_case set suspended = jsonb_set(suspended, '{0, providerOrderId}', '"of another"')
       where suspended <> '[]' and transaction_id = ${one('collect late')}`,
  },
  {
    invariant: 'hold_given_back',
    how: 'a reversal in another slot',
    also: ['own_accounts', 'suspense_has_case'],
    sql: `update ledger_journal set slot = 'suspense' where slot = 'reverse' and transaction_id = ${one('deliver failed')}`,
  },
  {
    invariant: 'refunds_within_original',
    how: 'two refunds that exceed their original together',
    sql: `update recharge_transaction set refund_of = (
        select refund_of from recharge_transaction where id = ${one('wallet recall submit accepted settled')})
      where id = ${one('house recall submit accepted settled')}`,
  },
  {
    invariant: 'frozen_is_unfinished',
    how: 'a hold without a delivery',
    also: ['own_accounts'],
    sql: `update recharge_transaction set kind = 'collect' where id = ${one('deliver created')}`,
  },
  {
    invariant: 'hold_given_back',
    how: 'a failed delivery of the house that claims to be paid by the wallet',
    sql: `update recharge_transaction set funding = 'wallet' where id = ${one('house deliver submit declined')}`,
  },
  {
    invariant: 'frozen_is_unfinished',
    how: 'an unfinished delivery of the house that claims to be paid by the wallet',
    sql: `update recharge_transaction set funding = 'wallet' where id = ${one('house deliver created')}`,
  },
  {
    invariant: 'collected_is_delivered',
    how: 'collected money without its delivery',
    sql: `update recharge_transaction set collected_by = null where collected_by = ${one('to the cloud')}`,
  },
  {
    invariant: 'collected_is_delivered',
    how: 'a delivery to another account than the payee of its collect',
    sql: `update recharge_transaction set payee = payee || '{"to": "thief"}' where id = ${one('to the cloud')}`,
  },
  {
    invariant: 'legal_chain',
    how: 'a deleted transition',
    sql: `delete from transition where seq = 1 and transaction_id = ${one('collect succeeded')}`,
  },
  {
    invariant: 'legal_chain',
    how: 'an illegal transition',
    sql: `update transition set news = 'accepted', to_state = 'FAILED' where seq = 1
       and transaction_id = ${one('collect pending')};
     update transition set from_state = 'FAILED' where seq = 2 and transaction_id = ${one('collect pending')}`,
  },
  {
    invariant: 'state_is_last_transition',
    how: 'a state without a transition',
    sql: `update recharge_transaction set state = 'SUBMITTED' where id = ${one('collect pending')}`,
  },
  {
    invariant: 'nothing_forgotten',
    how: 'a recharge without a due time',
    sql: `alter table recharge_transaction drop constraint recharge_transaction_never_forgotten;
     update recharge_transaction set due_at = null where id = ${one('collect submitted')}`,
  },
  {
    invariant: 'nothing_forgotten',
    how: 'an event without a due time',
    sql: `alter table webhook_event drop constraint webhook_event_never_forgotten;
     update webhook_event set due_at = null where processed_at is null`,
  },
  {
    invariant: 'submitted_has_attempt',
    how: 'a submit whose attempt and call are missing',
    sql: `delete from provider_call where transaction_id = ${one('collect pending')};
     update recharge_transaction set attempt = 0 where id = ${one('collect pending')}`,
  },
  {
    invariant: 'intent_before_effect',
    how: 'an attempt number above the number of calls',
    sql: `update recharge_transaction set attempt = 2 where id = ${one('collect pending')}`,
  },
  {
    invariant: 'intent_before_effect',
    how: 'a submit without a provider call',
    sql: `delete from provider_call where transaction_id = ${one('collect pending')}`,
  },
  {
    invariant: 'conflict_has_case',
    how: 'a conflict without a case',
    sql: `delete from reconciliation_case where transaction_id = ${one('collect contradicted')}`,
  },
  {
    invariant: 'plans_are_counted',
    how: 'a line that is counted twice',
    sql: 'update recharge_plan_count set accepted_lines = accepted_lines + 1',
  },
  {
    invariant: 'plans_are_counted',
    how: 'counts of a cent too few',
    sql: 'update recharge_plan_count set failed_minor = failed_minor - 1',
  },
  {
    invariant: 'plans_are_counted',
    how: 'a plan whose counts are missing',
    sql: 'delete from recharge_plan_count',
  },
];
