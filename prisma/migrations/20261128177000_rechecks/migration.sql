-- When a person or a client last asked to have the provider asked about a recharge now. A new table, so the migration is
-- safe on a live one.
CREATE TABLE "recheck" (
    "transaction_id" UUID NOT NULL,
    "asked_by" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recheck_pkey" PRIMARY KEY ("transaction_id")
);
