-- How far a chore that walks a table has come, so that it goes on there and not at the beginning.
CREATE TABLE "chore_position" (
    "chore" TEXT NOT NULL,
    "place" TEXT NOT NULL,

    CONSTRAINT "chore_position_pkey" PRIMARY KEY ("chore")
);

-- Unfinished recharges by age: a partial index holds only those that are unfinished.
CREATE INDEX IF NOT EXISTS "recharge_transaction_unfinished" ON "recharge_transaction" ("created_at", "provider")
  WHERE due_at IS NOT NULL;
CREATE INDEX "reconciliation_case_open_by_kind" ON "reconciliation_case" ("kind") WHERE closed_at IS NULL;
