/**
 * The tables of the books, each after the tables that it refers to. An archive has these. Left out are what is read again
 * (pools, breakers), what is counted again (rate limits), what ends by itself (nonces, locks), and the trails of calls and
 * of security events, which are no part of the books. An archive names every table that it leaves out.
 */
export const archivedTables = [
  'client',
  'api_key',
  'payee',
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
  'operator_action',
  'reconciliation_run',
  'statement_line',
  'statement_match',
  'statement_gap',
  'chain_link',
  'unsealed',
] as const;

/**
 * Columns that an archive never has: sealed secrets of keys, and what a payer pays with. A key whose secret was cut cannot
 * sign any more, and its hash still lets it be sent as a bearer token.
 */
export const cutColumns: Readonly<Partial<Record<string, readonly string[]>>> = {
  api_key: ['secret_sealed', 'previous_secret_sealed'],
  recharge_transaction: ['action'],
};
