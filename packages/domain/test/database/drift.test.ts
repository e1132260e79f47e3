import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { createDatabase } from '@replenish/testing';
import pg from 'pg';
import { migrate, schemaScript } from '../../src/store/database/migrate.js';

const migrationsDir = join(import.meta.dirname, '..', '..', '..', '..', 'prisma', 'migrations');

// The engine starts a timer of ten seconds. Jest would wait for it after this file.
const { setTimeout: startTimer } = globalThis;
globalThis.setTimeout = Object.assign(
  ((...args: Parameters<typeof startTimer>) => startTimer(...args).unref()) as typeof startTimer,
  startTimer,
);

/** The definitions that only hand-written SQL can make. Any other difference from schema.prisma is drift. */
const byHand = [
  'check approval_decided',
  'check approval_status',
  'check callback_delivery_never_forgotten',
  'check callback_delivery_status',
  'check callback_endpoint_status',
  'check ledger_entry_amount_positive',
  'check ledger_entry_two_sides',
  'check ledger_journal_slot',
  'check operator_role',
  'check operator_second_factor',
  'check recharge_plan_budget',
  'check recharge_plan_line_amount_positive',
  'check recharge_plan_never_forgotten',
  'check recharge_plan_status',
  'check recharge_rule_never_forgotten',
  'check recharge_rule_paused_because',
  'check recharge_rule_status',
  'check recharge_rule_watch',
  'check recharge_transaction_amount_positive',
  'check recharge_transaction_collected_by',
  'check recharge_transaction_confirmation',
  'check recharge_transaction_funding',
  'check recharge_transaction_kind',
  'check recharge_transaction_never_forgotten',
  'check recharge_transaction_next_step',
  'check recharge_transaction_refund_of',
  'check recharge_transaction_state',
  'check reconciliation_run_never_forgotten',
  'check reconciliation_run_period',
  'check reconciliation_run_source',
  'check reconciliation_run_status',
  'check rule_decision_decided',
  'check rule_decision_recharges',
  'check rule_switch_one_row',
  'check statement_line_amount_positive',
  'check statement_line_direction',
  'check transition_moves',
  'check transition_seq',
  'check transition_verdict',
  'check webhook_event_never_forgotten',
  'function approval_hash',
  'function ask_for_approval',
  'function callback_receivers',
  'function callback_type',
  'function chain_case',
  'function chain_key',
  'function chain_ms',
  'function currency_exponent',
  'function day_added',
  'function day_step',
  'function day_sum',
  'function drop_audit_partitions',
  'function ensure_audit_partitions',
  'function is_legal_move',
  'function lock_for_refund',
  'function make_audit_partition',
  'function new_callback_id',
  'function note_unsealed_case',
  'function note_unsealed_ids',
  'function note_unsealed_key',
  'function note_unsealed_transitions',
  'function refuse_change',
  'function refuse_illegal_move',
  'function refuse_other_approval',
  'function refuse_other_event',
  'function refuse_other_plan',
  'function refuse_other_terms',
  'function refuse_overdraft',
  'function refuse_step_back',
  'function refuse_unapproved',
  'function refuse_unborn_state',
  'function refuse_unproven_adoption',
  'function refuse_used_code',
  'function request_approval',
  'function stage_callback',
  'function stage_case',
  'function stage_moves',
  'function stage_new_recharges',
  'function stage_recharge_callback',
  'function uuid_from',
  'function waiting_reason',
  'function whole_status',
  'index api_key_locked',
  'index approval_one_pending',
  'index audit_call_refused_by_correlation_id',
  'index audit_call_refused_by_status',
  'index callback_delivery_due',
  'index callback_delivery_in_order',
  'index callback_endpoint_active',
  'index ledger_account_wallets',
  'index callback_endpoint_any_active',
  'index ledger_entry_credited_by_time',
  'index ledger_entry_debited_by_time',
  'index ledger_journal_one_settlement',
  'index recharge_plan_due',
  'index recharge_rule_awaiting',
  'index recharge_rule_due',
  'index recharge_rule_watching_wallets',
  'index recharge_transaction_called_back',
  'index recharge_transaction_due_lane',
  'index recharge_transaction_lane_queue',
  'index recharge_transaction_listed_by_account',
  'index recharge_transaction_listed_by_reference',
  'index recharge_transaction_one_delivery',
  'index recharge_transaction_one_in_lane',
  'index recharge_transaction_pool_queue',
  'index recharge_transaction_pool_spent',
  'index recharge_transaction_provider_order',
  'index recharge_transaction_refunds',
  'index recharge_transaction_settled',
  'index recharge_transaction_unfinished',
  'index reconciliation_case_open',
  'index reconciliation_case_open_by_kind',
  'index reconciliation_case_open_ids',
  'index reconciliation_case_open_of_client',
  'index reconciliation_case_open_of_recharge',
  'index reconciliation_case_returned_by',
  'index reconciliation_run_due',
  'index reconciliation_run_scheduled',
  'index rule_decision_recharge',
  'index webhook_event_due',
  'trigger account_balances_read_only',
  'trigger api_key_unsealed',
  'trigger approval_same_approval',
  'trigger approvals_read_only',
  'trigger audit_call_append_only',
  'trigger audit_call_kept',
  'trigger callbacks_read_only',
  'trigger calls_read_only',
  'trigger cases_read_only',
  'trigger chain_link_append_only',
  'trigger chain_read_only',
  'trigger ledger_account_kept',
  'trigger ledger_account_no_overdraft',
  'trigger ledger_entry_append_only',
  'trigger ledger_journal_append_only',
  'trigger ledger_journal_unsealed',
  'trigger ledger_snapshot_append_only',
  'trigger operator_action_append_only',
  'trigger operator_action_unsealed',
  'trigger operator_actions_read_only',
  'trigger operator_code_serves_once',
  'trigger payees_read_only',
  'trigger plan_lines_read_only',
  'trigger plans_read_only',
  'trigger postings_read_only',
  'trigger provider_call_kept',
  'trigger provider_calls_read_only',
  'trigger recharge_plan_kept',
  'trigger recharge_plan_line_append_only',
  'trigger recharge_plan_refusal_append_only',
  'trigger recharge_plan_same_terms',
  'trigger recharge_request_append_only',
  'trigger recharge_transaction_adopted_with_evidence',
  'trigger recharge_transaction_approved',
  'trigger recharge_transaction_asks_for_approval',
  'trigger recharge_transaction_begins_created',
  'trigger recharge_transaction_callbacks',
  'trigger recharge_transaction_kept',
  'trigger recharge_transaction_legal_move',
  'trigger recharge_transaction_only_forward',
  'trigger recharge_transaction_same_terms',
  'trigger recharges_read_only',
  'trigger reconciliation_case_callbacks',
  'trigger reconciliation_case_kept',
  'trigger reconciliation_case_unsealed',
  'trigger reconciliations_read_only',
  'trigger refunds_read_only',
  'trigger rule_consent_append_only',
  'trigger rule_decision_append_only',
  'trigger rule_decision_kept',
  'trigger rule_decisions_read_only',
  'trigger rules_read_only',
  'trigger security_events_read_only',
  'trigger settlements_read_only',
  'trigger statement_line_append_only',
  'trigger statement_lines_read_only',
  'trigger transition_append_only',
  'trigger transition_callbacks',
  'trigger transition_unsealed',
  'trigger transitions_read_only',
  'trigger wallets_read_only',
  'trigger webhook_event_kept',
  'trigger webhook_event_same_event',
  'trigger webhooks_read_only',
  'view report.account_balances',
  'view report.approvals',
  'view report.callbacks',
  'view report.calls',
  'view report.cases',
  'view report.chain',
  'view report.operator_actions',
  'view report.payees',
  'view report.plan_lines',
  'view report.plans',
  'view report.postings',
  'view report.provider_calls',
  'view report.recharges',
  'view report.reconciliations',
  'view report.refunds',
  'view report.rule_decisions',
  'view report.rules',
  'view report.security_events',
  'view report.settlements',
  'view report.statement_lines',
  'view report.transitions',
  'view report.wallets',
  'view report.webhooks',
];

/** All our own objects in the catalogs, as name and definition. */
const CATALOG = `
  select 'column ' || table_name || '.' || column_name as name, concat_ws(' ', udt_name, datetime_precision,
      is_nullable, column_default) as definition
    from information_schema.columns where table_schema = 'public'
  union all
  select case contype when 'c' then 'check ' when 'p' then 'primary key ' when 'f' then 'foreign key '
      else 'constraint ' end || conname, conrelid::regclass || ' ' || pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
  union all
  -- ONLY is how Postgres writes the index of a partitioned table.
  select 'index ' || indexname, replace(indexdef, ' ON ONLY ', ' ON ') from pg_indexes where schemaname = 'public'
  union all
  select 'trigger ' || tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
  union all
  select 'function ' || proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace
  union all
  select 'view ' || schemaname || '.' || viewname, definition from pg_views
    where schemaname not in ('pg_catalog', 'information_schema')`;

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

async function catalogOf(url: string): Promise<Record<string, string>> {
  const { rows } = await withClient(url, (client) =>
    client.query<{ name: string; definition: string }>(CATALOG),
  );
  const ours = rows.filter(({ name, definition }) => !/_prisma_migrations/.test(`${name} ${definition}`));
  return Object.fromEntries(ours.map(({ name, definition }) => [name, definition]));
}

test('schema.prisma and the migrations make the same tables, but for the named definitions', async () => {
  const [described, migrated] = await Promise.all([
    createDatabase({ migrated: false }),
    createDatabase({ migrated: true }),
  ]);
  const script = await schemaScript({ databaseUrl: described.url });
  await withClient(described.url, (client) => client.query(script));
  const [schema, migrations] = await Promise.all([catalogOf(described.url), catalogOf(migrated.url)]);
  const shared = Object.entries(migrations).filter(([name]) => name in schema);
  const extra = Object.keys(migrations).filter((name) => !(name in schema));

  expect(Object.keys(schema).filter((name) => name.startsWith('column ')).length).toBeGreaterThan(90);
  expect(Object.fromEntries(shared)).toEqual(schema);
  expect(extra.toSorted()).toEqual(byHand);
  await Promise.all([described.release(), migrated.release()]);
});

test('two processes that migrate at once apply each migration once, and record it as Prisma does', async () => {
  const database = await createDatabase({ migrated: false });
  const names = readdirSync(migrationsDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
  const applied = await Promise.all([1, 2].map(() => migrate({ databaseUrl: database.url })));
  expect(applied.flat().toSorted()).toEqual(names);
  expect(await migrate({ databaseUrl: database.url })).toEqual([]);

  const { rows } = await withClient(database.url, (client) =>
    client.query(`select migration_name, checksum, finished_at, rolled_back_at, logs, applied_steps_count
      from _prisma_migrations order by migration_name`),
  );
  const expected = names.map((name) => ({
    migration_name: name,
    checksum: createHash('sha256')
      .update(readFileSync(join(migrationsDir, name, 'migration.sql')))
      .digest('hex'),
    finished_at: expect.any(Date),
    rolled_back_at: null,
    logs: null,
    applied_steps_count: 1,
  }));
  expect(rows).toEqual(expected);
  await database.release();
});
