-- The idempotency keys of verbs, with the answers. A row is made before the verb is carried out, and gets its answer
-- after it. A new table, so the migration is safe on a live database.
CREATE TABLE "answered_key" (
    "client_id" UUID NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "begun_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "repeats" INTEGER NOT NULL DEFAULT 0,
    "status" INTEGER,
    "root" TEXT,
    "body" TEXT,

    CONSTRAINT "answered_key_pkey" PRIMARY KEY ("client_id", "idempotency_key")
);

CREATE INDEX "answered_key_begun_at_idx" ON "answered_key"("begun_at");
