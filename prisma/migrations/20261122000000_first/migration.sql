-- CreateSchema
CREATE SCHEMA IF NOT EXISTS "public";

-- CreateTable
CREATE TABLE "client" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "env" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "client_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "api_key" (
    "id" TEXT NOT NULL,
    "client_id" UUID NOT NULL,
    "secret_hash" BYTEA NOT NULL,
    "previous_secret_hash" BYTEA,
    "previous_valid_until" TIMESTAMPTZ(3),
    "scopes" TEXT[],
    "accounts" TEXT[],
    "allow_s3" BOOLEAN NOT NULL DEFAULT false,
    "require_signature" BOOLEAN NOT NULL DEFAULT false,
    "rate_limit_per_minute" INTEGER,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "api_key_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "recharge_request" (
    "transaction_id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "idempotency_key" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "metadata" JSONB NOT NULL,
    "product_type" TEXT,
    "plan_id" TEXT,
    "requested_at" TIMESTAMPTZ(3),
    "correlation_id" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recharge_request_pkey" PRIMARY KEY ("transaction_id")
);

-- CreateTable
CREATE TABLE "recharge_transaction" (
    "id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "account_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "confirmation" TEXT,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "payment_method" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "provider_order_id" TEXT,
    "order_reference" TEXT,
    "next_step" TEXT,
    "attempt" INTEGER NOT NULL DEFAULT 0,
    "asks" INTEGER NOT NULL DEFAULT 0,
    "seq" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3),
    "failure_code" TEXT,
    "failure_message" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "submitted_at" TIMESTAMPTZ(3),
    "succeeded_at" TIMESTAMPTZ(3),
    "failed_at" TIMESTAMPTZ(3),
    "canceled_at" TIMESTAMPTZ(3),
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recharge_transaction_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "transition" (
    "transaction_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "news" TEXT NOT NULL,
    "verdict" TEXT NOT NULL,
    "from_state" TEXT NOT NULL,
    "to_state" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "transition_pkey" PRIMARY KEY ("transaction_id","seq")
);

-- CreateTable
CREATE TABLE "provider_call" (
    "id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "attempt" INTEGER NOT NULL,
    "operation" TEXT NOT NULL,
    "outcome" TEXT,
    "provider_code" TEXT,
    "http_status" INTEGER,
    "started_at" TIMESTAMPTZ(3) NOT NULL,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "provider_call_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "webhook_event" (
    "id" UUID NOT NULL,
    "provider" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "raw_body" BYTEA NOT NULL,
    "body_hash" BYTEA NOT NULL,
    "transaction_id" UUID,
    "correlation_id" TEXT NOT NULL,
    "stored_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "processed_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),
    "verdict" TEXT,

    CONSTRAINT "webhook_event_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_account" (
    "name" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "balance_minor" BIGINT,

    CONSTRAINT "ledger_account_pkey" PRIMARY KEY ("name","currency")
);

-- CreateTable
CREATE TABLE "ledger_journal" (
    "id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "slot" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_journal_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "ledger_entry" (
    "id" BIGSERIAL NOT NULL,
    "journal_id" UUID NOT NULL,
    "transaction_id" UUID NOT NULL,
    "debit_account" TEXT NOT NULL,
    "credit_account" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "currency" TEXT NOT NULL,
    "debit_balance_minor" BIGINT,
    "credit_balance_minor" BIGINT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_entry_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "reconciliation_case" (
    "id" UUID NOT NULL,
    "transaction_id" UUID,
    "subject" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "detail" JSONB NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "closed_at" TIMESTAMPTZ(3),
    "resolution" TEXT,

    CONSTRAINT "reconciliation_case_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "api_key_client_id_idx" ON "api_key"("client_id");

-- CreateIndex
CREATE UNIQUE INDEX "recharge_request_client_id_idempotency_key_key" ON "recharge_request"("client_id", "idempotency_key");

-- CreateIndex
CREATE INDEX "recharge_transaction_client_id_id_idx" ON "recharge_transaction"("client_id", "id" DESC);

-- CreateIndex
CREATE INDEX "recharge_transaction_account_id_id_idx" ON "recharge_transaction"("account_id", "id" DESC);

-- CreateIndex
CREATE INDEX "provider_call_transaction_id_idx" ON "provider_call"("transaction_id");

-- CreateIndex
CREATE INDEX "webhook_event_transaction_id_idx" ON "webhook_event"("transaction_id");

-- CreateIndex
CREATE UNIQUE INDEX "webhook_event_provider_event_id_key" ON "webhook_event"("provider", "event_id");

-- CreateIndex
CREATE UNIQUE INDEX "ledger_journal_transaction_id_slot_key" ON "ledger_journal"("transaction_id", "slot");

-- CreateIndex
CREATE INDEX "ledger_entry_journal_id_idx" ON "ledger_entry"("journal_id");

-- CreateIndex
CREATE INDEX "reconciliation_case_transaction_id_idx" ON "reconciliation_case"("transaction_id");

-- AddForeignKey
ALTER TABLE "api_key" ADD CONSTRAINT "api_key_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "client"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "ledger_entry" ADD CONSTRAINT "ledger_entry_journal_id_fkey" FOREIGN KEY ("journal_id") REFERENCES "ledger_journal"("id") ON DELETE RESTRICT ON UPDATE CASCADE;


-- ---------------------------------------------------------------------------------------------------------------
-- From here on by hand: what the schema language has no words for. The database refuses by itself what the code
-- should never ask; the code decides first, so that a refusal here is always a fault.

-- Values

ALTER TABLE "recharge_transaction"
  ADD CONSTRAINT "recharge_transaction_amount_positive" CHECK (amount_minor > 0),
  ADD CONSTRAINT "recharge_transaction_kind" CHECK (kind IN ('collect', 'deliver')),
  ADD CONSTRAINT "recharge_transaction_state"
    CHECK (state IN ('CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION', 'SUCCEEDED', 'FAILED', 'CANCELED')),
  ADD CONSTRAINT "recharge_transaction_confirmation" CHECK (confirmation IN ('acknowledged', 'unknown')),
  ADD CONSTRAINT "recharge_transaction_next_step" CHECK (next_step IN ('submit', 'ask')),
  -- Nothing unfinished without a due time: the sweeper would never find it again.
  ADD CONSTRAINT "recharge_transaction_never_forgotten" CHECK (
    CASE WHEN state IN ('SUCCEEDED', 'FAILED', 'CANCELED')
      THEN due_at IS NULL AND next_step IS NULL
      ELSE due_at IS NOT NULL AND next_step IS NOT NULL END);

ALTER TABLE "transition"
  ADD CONSTRAINT "transition_verdict" CHECK (verdict IN ('moved', 'stale', 'conflict')),
  ADD CONSTRAINT "transition_moves" CHECK (verdict = 'moved' OR from_state = to_state),
  ADD CONSTRAINT "transition_seq" CHECK (seq > 0);

ALTER TABLE "webhook_event"
  ADD CONSTRAINT "webhook_event_never_forgotten" CHECK ((processed_at IS NULL) = (due_at IS NOT NULL));

ALTER TABLE "ledger_journal"
  ADD CONSTRAINT "ledger_journal_slot" CHECK (slot IN ('collect', 'hold', 'settle', 'reverse', 'suspense'));

ALTER TABLE "ledger_entry"
  ADD CONSTRAINT "ledger_entry_amount_positive" CHECK (amount_minor > 0),
  ADD CONSTRAINT "ledger_entry_two_sides" CHECK (debit_account <> credit_account);

-- Paying and giving back consume the same hold: a recharge has one of them, whatever the code believes.
CREATE UNIQUE INDEX "ledger_journal_one_settlement" ON "ledger_journal" (transaction_id)
  WHERE slot IN ('collect', 'settle', 'reverse');

-- Look-ups

CREATE INDEX "recharge_transaction_due" ON "recharge_transaction" (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX "webhook_event_due" ON "webhook_event" (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX "recharge_transaction_provider_order" ON "recharge_transaction" (provider, provider_order_id)
  WHERE provider_order_id IS NOT NULL;
CREATE INDEX "recharge_transaction_order_reference" ON "recharge_transaction" (order_reference)
  WHERE order_reference IS NOT NULL;
CREATE INDEX "ledger_entry_credited_wallet" ON "ledger_entry" (credit_account, currency, id DESC)
  WHERE credit_account LIKE 'wallet:%';
CREATE INDEX "ledger_entry_debited_wallet" ON "ledger_entry" (debit_account, currency, id DESC)
  WHERE debit_account LIKE 'wallet:%';
-- One open case of a kind for one subject: a provider that repeats itself does not fill the desk.
CREATE UNIQUE INDEX "reconciliation_case_open" ON "reconciliation_case" (subject, kind) WHERE closed_at IS NULL;

-- Rows that change often live beside their old versions on one page, and are cleaned early.
ALTER TABLE "recharge_transaction" SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "webhook_event" SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
ALTER TABLE "ledger_account" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

-- Moves

-- The database's own copy of the grid in packages/domain/src/core/recharge.ts; a test holds the two equal.
CREATE FUNCTION "is_legal_move"(from_state text, to_state text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (from_state, to_state) IN (
    ('CREATED', 'SUBMITTED'), ('CREATED', 'CANCELED'),
    ('SUBMITTED', 'PENDING_CONFIRMATION'), ('SUBMITTED', 'SUCCEEDED'), ('SUBMITTED', 'FAILED'),
    ('PENDING_CONFIRMATION', 'SUCCEEDED'), ('PENDING_CONFIRMATION', 'FAILED'), ('PENDING_CONFIRMATION', 'CANCELED'));

CREATE FUNCTION "refuse_illegal_move"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT is_legal_move(OLD.state, NEW.state) THEN
    RAISE EXCEPTION 'illegal move of recharge %: % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_transaction_legal_move';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "recharge_transaction_legal_move" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION "refuse_illegal_move"();

CREATE FUNCTION "refuse_other_terms"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the terms of recharge % cannot change', OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_transaction_same_terms';
END $$;

CREATE TRIGGER "recharge_transaction_same_terms" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN ((OLD.id, OLD.client_id, OLD.account_id, OLD.kind, OLD.amount_minor, OLD.currency)
    IS DISTINCT FROM (NEW.id, NEW.client_id, NEW.account_id, NEW.kind, NEW.amount_minor, NEW.currency))
  EXECUTE FUNCTION "refuse_other_terms"();

CREATE FUNCTION "refuse_unborn_state"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'recharge % must begin as CREATED, not %', NEW.id, NEW.state
    USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_transaction_begins_created';
END $$;

CREATE TRIGGER "recharge_transaction_begins_created" BEFORE INSERT ON "recharge_transaction"
  FOR EACH ROW WHEN (NEW.state <> 'CREATED') EXECUTE FUNCTION "refuse_unborn_state"();

-- History

CREATE FUNCTION "refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;

CREATE TRIGGER "recharge_request_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "recharge_request"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "transition_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "transition"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "ledger_journal_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_journal"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "ledger_entry_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_entry"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "recharge_transaction_kept" BEFORE DELETE OR TRUNCATE ON "recharge_transaction"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Balances

CREATE FUNCTION "refuse_overdraft"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'account % would fall to % %', NEW.name, NEW.balance_minor, NEW.currency
    USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_account_no_overdraft';
END $$;

-- A trigger after the fact, not a CHECK: of INSERT .. ON CONFLICT a CHECK also judges the row that is only proposed.
CREATE TRIGGER "ledger_account_no_overdraft" AFTER INSERT OR UPDATE ON "ledger_account"
  FOR EACH ROW WHEN (NEW.balance_minor < 0) EXECUTE FUNCTION "refuse_overdraft"();

-- Stable views for finance and for checks. Columns are never renamed or removed.

CREATE SCHEMA "report";

CREATE VIEW "report"."recharges" AS
  SELECT t.id AS transaction_id, t.client_id, r.idempotency_key, r.fingerprint, t.account_id, t.kind, t.state,
    t.amount_minor AS amount, t.currency, t.payment_method, t.provider, t.provider_order_id, t.order_reference,
    t.due_at, t.created_at, t.submitted_at, t.succeeded_at, t.failed_at, t.canceled_at, t.updated_at
  FROM recharge_transaction t JOIN recharge_request r ON r.transaction_id = t.id;

CREATE VIEW "report"."transitions" AS
  SELECT transaction_id, seq, news, verdict, from_state, to_state, source, reason, at FROM transition;

CREATE VIEW "report"."postings" AS
  SELECT j.id AS journal_id, j.transaction_id, j.slot, e.debit_account, e.credit_account,
    e.amount_minor AS amount, e.currency, e.at
  FROM ledger_entry e JOIN ledger_journal j ON j.id = e.journal_id;

CREATE VIEW "report"."provider_calls" AS
  SELECT transaction_id, attempt, operation, coalesce(outcome, 'unanswered') AS outcome, provider_code, http_status,
    started_at, ended_at
  FROM provider_call;

CREATE VIEW "report"."webhooks" AS
  SELECT provider, event_id, transaction_id, stored_at, processed_at, due_at, verdict FROM webhook_event;

CREATE VIEW "report"."wallets" AS
  SELECT account_id, currency,
    coalesce(sum(balance_minor) FILTER (WHERE part = 'available'), 0)::bigint AS available,
    coalesce(sum(balance_minor) FILTER (WHERE part = 'frozen'), 0)::bigint AS frozen
  FROM (
    SELECT substring(name FROM '^wallet:(.*):(?:available|frozen)$') AS account_id,
      substring(name FROM '[a-z]+$') AS part, currency, balance_minor
    FROM ledger_account WHERE name LIKE 'wallet:%') wallet
  GROUP BY account_id, currency;

CREATE VIEW "report"."cases" AS
  SELECT id AS case_id, transaction_id, kind, opened_at, closed_at, resolution FROM reconciliation_case;
