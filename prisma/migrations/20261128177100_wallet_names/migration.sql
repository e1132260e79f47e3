-- The wallets in the order of their names, for the list of accounts. Balances change without touching the index.
-- CREATE INDEX stops writes to the table while it runs, a second per million wallets. To avoid that on a live database,
-- run the same statement with CONCURRENTLY before the migration.
CREATE INDEX IF NOT EXISTS "ledger_account_wallets" ON "ledger_account" ("name" COLLATE "C", "currency")
  WHERE name LIKE 'wallet:%:available';
