-- Counts the reports that the database refused since the recharge moved last. A constant default changes no row that is
-- there, so this is safe on a table in use.
ALTER TABLE "recharge_transaction" ADD COLUMN "refusals" INTEGER NOT NULL DEFAULT 0;
