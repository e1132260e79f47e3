-- The time of a wallet's newest entry. A column without a default changes no row that is there, so this is safe on a
-- table in use; the next entry of a wallet fills it.
ALTER TABLE "ledger_account" ADD COLUMN "last_entry_at" TIMESTAMPTZ(3);
