-- The cash in the balances of watched cloud accounts, apart from credit and vouchers. Both columns are nullable, so no row is
-- rewritten, and the migration is safe on a live database. Readings from before it have no cash.

ALTER TABLE "watched_account" ADD COLUMN "cash_minor" BIGINT;
ALTER TABLE "account_reading" ADD COLUMN "cash_minor" BIGINT;
