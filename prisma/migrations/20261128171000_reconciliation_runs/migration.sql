-- Runs that a worker carries out: from a kept file, or from the provider's own statement. Runs are few, so the new
-- columns, the index and the constraint are safe on a live database. A run of an older release is due after an hour,
-- and then ends as cut off.
ALTER TABLE "reconciliation_run"
  ADD COLUMN "source" TEXT NOT NULL DEFAULT 'reader',
  ADD COLUMN "due_at" TIMESTAMPTZ(3) DEFAULT CURRENT_TIMESTAMP + interval '1 hour',
  ADD COLUMN "tries" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "lines_read" INTEGER NOT NULL DEFAULT 0,
  ADD COLUMN "client_id" UUID,
  ADD COLUMN "idempotency_key" TEXT,
  ADD COLUMN "fingerprint" TEXT;

ALTER TABLE "reconciliation_run" ADD CONSTRAINT "reconciliation_run_source"
  CHECK (source IN ('reader', 'file', 'provider'));
ALTER TABLE "reconciliation_run" ADD CONSTRAINT "reconciliation_run_never_forgotten"
  CHECK (status <> 'running' OR due_at IS NOT NULL);

CREATE UNIQUE INDEX "reconciliation_run_client_id_idempotency_key_key"
  ON "reconciliation_run"("client_id", "idempotency_key");
CREATE INDEX "reconciliation_run_due" ON "reconciliation_run"("due_at") WHERE status = 'running';

-- The daily run of a provider account is made once, however many workers there are.
CREATE UNIQUE INDEX "reconciliation_run_scheduled"
  ON "reconciliation_run"("provider", "provider_account", "from_at", "to_at") WHERE asked_by = 'schedule';

-- The file of a run, until the run is over. It is read in slices, which is fast only without compression.
CREATE TABLE "reconciliation_file" (
    "run_id" UUID NOT NULL,
    "bytes" BYTEA NOT NULL,

    CONSTRAINT "reconciliation_file_pkey" PRIMARY KEY ("run_id")
);

ALTER TABLE "reconciliation_file" ALTER COLUMN "bytes" SET STORAGE EXTERNAL;
ALTER TABLE "reconciliation_file" ADD CONSTRAINT "reconciliation_file_run_id_fkey"
  FOREIGN KEY ("run_id") REFERENCES "reconciliation_run"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE OR REPLACE VIEW "report"."reconciliations" AS
  SELECT id AS run_id, provider, provider_account, from_at, to_at, status, failure, asked_by, created_at, finished_at,
    source, lines_read
  FROM reconciliation_run;
