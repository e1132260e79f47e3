/**
 * The tables that an archive has, each after the tables that it refers to: the books, and what recharges under way, rules
 * and plans need to go on.
 */
export const archivedTables = [
  'client',
  'api_key',
  'payee',
  'account_time_zone',
  'recharge_request',
  'recharge_transaction',
  'day_counter',
  'transition',
  'provider_call',
  'webhook_event',
  'ledger_account',
  'ledger_journal',
  'ledger_entry',
  'reconciliation_case',
  'case_desk',
  'operator_action',
  'reconciliation_run',
  'statement_line',
  'statement_match',
  'statement_gap',
  'approval',
  'recharge_rule',
  'rule_consent',
  'rule_proposal',
  'rule_decision',
  'rule_switch',
  'rule_counter',
  'recharge_plan',
  'recharge_plan_line',
  'recharge_plan_refusal',
  'recharge_plan_count',
  'recharge_plan_held',
  'chain_link',
  'unsealed',
] as const;

/** The tables that no archive has, each with the reason. */
export const leftOutTables: Readonly<Record<string, string>> = {
  account_reading: 'balances at providers are read again',
  answered_key: 'clients repeat no request that old, and their answers may name what a payer pays with',
  audit_call: 'the trail of calls is no part of the books',
  bulk_item: 'what was done to it is an action; the verb is made again where it was under way',
  bulk_verb: 'what it did is filed as actions; one that was under way is made again',
  callback_delivery: 'its receiver has a secret, and was told by the installation that the archive is of',
  callback_endpoint: 'it has a secret; clients make their endpoints again',
  callback_event: 'clients were told by the installation that the archive is of',
  callback_lane: 'it is made by the first delivery',
  callback_secret: 'it is a secret; it is made again when it is asked for',
  chore_position: 'chores begin their walk again',
  key_lock: 'it ends by itself',
  ledger_snapshot: 'it is computed again from the entries',
  login_attempt: 'it ends by itself',
  nonce: 'it ends by itself',
  notice: 'people were told by the installation that the archive is of',
  notice_channel: 'channels are read again from the configuration',
  operator: 'a password and a second factor are secrets; actions name their user. Users are made again',
  operator_session: 'it ends by itself',
  pool: 'it is read again from the provider',
  provider_breaker: 'workers tell it again',
  rate_limit: 'it is counted again',
  recheck: 'it is counted again',
  reconciliation_file: 'the file of a comparison under way is sent again',
  security_event: 'the trail of security events is no part of the books',
  watched_account: 'balances at providers are read again',
};

/** What migrations put into a table that an import finds empty otherwise. */
export const rowsOfMigrations: Readonly<Record<string, string>> = {
  rule_switch: `actor = 'migration'`,
};

/**
 * Columns that an archive never has: sealed secrets of keys, and what a payer pays with. A key whose secret was cut cannot
 * sign any more, and its hash still lets it be sent as a bearer token.
 */
export const cutColumns: Readonly<Partial<Record<string, readonly string[]>>> = {
  api_key: ['secret_sealed', 'previous_secret_sealed'],
  recharge_transaction: ['action'],
};
