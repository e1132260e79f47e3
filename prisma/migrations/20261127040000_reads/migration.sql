-- Reads whose cost depends on the page and not on the size of the books, and what may be forgotten.
--
-- The indexes below are built while writers wait: about a second per 100,000 recharges. On books that cannot wait so
-- long build them beforehand, under the same names and with CONCURRENTLY (docs/operations.md); what is there already is
-- passed over here.

-- Lists are ordered by the database's time, not by ids: an id carries the clock of the ingress that made it.
-- The state is part of each key, so that a state that is rare for a client or an account has a walk of its own, and a
-- list of several states merges theirs.
CREATE INDEX IF NOT EXISTS "recharge_transaction_client_id_state_created_at_id_idx"
  ON "recharge_transaction" ("client_id", "state", "created_at", "id");
-- In the order of bytes, so that the accounts of a pattern are one range of it, whatever the database's language is.
CREATE INDEX IF NOT EXISTS "recharge_transaction_listed_by_account"
  ON "recharge_transaction" ("client_id", "account_id" COLLATE "C", "state", "created_at", "id");
CREATE INDEX IF NOT EXISTS "recharge_transaction_listed_by_reference"
  ON "recharge_transaction" ("client_id", "order_reference", "created_at", "id") WHERE order_reference IS NOT NULL;

DROP INDEX "recharge_transaction_client_id_id_idx";
DROP INDEX "recharge_transaction_account_id_id_idx";
DROP INDEX "recharge_transaction_order_reference";

-- A statement of an account asks for a window of time. Entries of one wallet have rising times and rising ids, so this
-- order is also that of the running balances.
CREATE INDEX IF NOT EXISTS "ledger_entry_credited_by_time" ON "ledger_entry" ("credit_account", "currency", "at", "id")
  WHERE credit_account LIKE 'wallet:%';
CREATE INDEX IF NOT EXISTS "ledger_entry_debited_by_time" ON "ledger_entry" ("debit_account", "currency", "at", "id")
  WHERE debit_account LIKE 'wallet:%';
DROP INDEX "ledger_entry_credited_wallet";
DROP INDEX "ledger_entry_debited_wallet";
