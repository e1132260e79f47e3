-- The lines of providers' statements, what each is matched with, and the runs that compare them with the books.

CREATE TABLE "reconciliation_run" (
    "id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "provider_account" TEXT NOT NULL,
    "from_at" TIMESTAMPTZ(3) NOT NULL,
    "to_at" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'running',
    "failure" TEXT,
    "asked_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "reconciliation_run_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "reconciliation_run_provider_provider_account_to_at_idx"
  ON "reconciliation_run"("provider", "provider_account", "to_at");

ALTER TABLE "reconciliation_run" ADD CONSTRAINT "reconciliation_run_status"
  CHECK (status IN ('running', 'finished', 'failed'));
ALTER TABLE "reconciliation_run" ADD CONSTRAINT "reconciliation_run_period" CHECK (from_at < to_at);

CREATE TABLE "statement_line" (
    "id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "provider_account" TEXT NOT NULL,
    "line_key" TEXT NOT NULL,
    "line" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "order_id" TEXT,
    "reference" TEXT,
    "direction" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "balance_minor" BIGINT,
    "stored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "statement_line_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "statement_line_provider_provider_account_line_key_key"
  ON "statement_line"("provider", "provider_account", "line_key");
CREATE INDEX "statement_line_provider_provider_account_at_id_idx"
  ON "statement_line"("provider", "provider_account", "at", "id");

ALTER TABLE "statement_line" ADD CONSTRAINT "statement_line_direction" CHECK (direction IN ('in', 'out'));
ALTER TABLE "statement_line" ADD CONSTRAINT "statement_line_amount_positive" CHECK (amount_minor > 0);

CREATE TRIGGER "statement_line_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "statement_line"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

CREATE TABLE "statement_match" (
    "line_id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "by" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "statement_match_pkey" PRIMARY KEY ("line_id")
);

CREATE UNIQUE INDEX "statement_match_transaction_id_key" ON "statement_match"("transaction_id");

ALTER TABLE "statement_match" ADD CONSTRAINT "statement_match_line_id_fkey"
  FOREIGN KEY ("line_id") REFERENCES "statement_line"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TABLE "statement_gap" (
    "provider" TEXT NOT NULL,
    "provider_account" TEXT NOT NULL,
    "after_key" TEXT NOT NULL,
    "before_key" TEXT NOT NULL,
    "after_line" TEXT NOT NULL,
    "before_line" TEXT NOT NULL,
    "missing_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "statement_gap_pkey" PRIMARY KEY ("provider", "provider_account", "after_key", "before_key")
);

CREATE INDEX "statement_gap_provider_provider_account_at_idx"
  ON "statement_gap"("provider", "provider_account", "at");

-- A difference that a person has closed is not opened again by the next run. Cases are rare.
CREATE INDEX "reconciliation_case_subject_kind_idx" ON "reconciliation_case"("subject", "kind");

-- The least id that is made at a time or later (RFC 9562, version 7).
CREATE FUNCTION "uuid_from"("at" TIMESTAMPTZ) RETURNS UUID LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000000000000000')::uuid
$$;

CREATE VIEW "report"."statement_lines" AS
  SELECT line.id AS line_id, line.provider, line.provider_account, line.line, line.at, line.order_id, line.reference,
    line.direction, line.amount_minor AS amount, line.currency, line.balance_minor AS balance,
    found.transaction_id, found.by AS matched_by, line.stored_at
  FROM statement_line line LEFT JOIN statement_match found ON found.line_id = line.id;

CREATE VIEW "report"."reconciliations" AS
  SELECT id AS run_id, provider, provider_account, from_at, to_at, status, failure, asked_by, created_at, finished_at
  FROM reconciliation_run;

CREATE TRIGGER "statement_lines_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."statement_lines"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "reconciliations_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."reconciliations"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
