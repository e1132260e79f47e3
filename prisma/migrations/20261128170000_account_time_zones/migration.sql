-- The time zone in which the months of an account begin. An account without a row has the zone that its payee gives.

CREATE TABLE "account_time_zone" (
    "account_id" TEXT NOT NULL,
    "time_zone" TEXT NOT NULL,
    "set_by" TEXT NOT NULL,
    "set_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "account_time_zone_pkey" PRIMARY KEY ("account_id")
);
