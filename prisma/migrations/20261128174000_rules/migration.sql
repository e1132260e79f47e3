-- Rules of automatic recharge, their consents and their decisions, and the balances of watched cloud accounts. All
-- tables are new, so the migration is safe on a live database.

CREATE TABLE "recharge_rule" (
    "id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "key_id" TEXT NOT NULL,
    "idempotency_key" TEXT,
    "fingerprint" TEXT,
    "account_id" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "watch" TEXT NOT NULL,
    "below_minor" BIGINT NOT NULL,
    "terms" JSONB NOT NULL,
    "terms_version" INTEGER NOT NULL DEFAULT 1,
    "recharge" JSONB NOT NULL,
    "target" TEXT,
    "status" TEXT NOT NULL DEFAULT 'active',
    "paused_because" TEXT,
    "active_since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "decisions" INTEGER NOT NULL DEFAULT 0,
    "forgiven" INTEGER NOT NULL DEFAULT 0,
    "last_recharge_id" UUID,
    "awaits_recharge" BOOLEAN NOT NULL DEFAULT false,
    "burn" JSONB,
    "burn_at" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3),
    "seen_minor" BIGINT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recharge_rule_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "recharge_rule_client_id_idempotency_key_key" ON "recharge_rule"("client_id", "idempotency_key");
CREATE INDEX "recharge_rule_client_id_id_idx" ON "recharge_rule"("client_id", "id");

ALTER TABLE "recharge_rule" ADD CONSTRAINT "recharge_rule_status"
  CHECK (status IN ('active', 'paused', 'expired', 'deleted'));
ALTER TABLE "recharge_rule" ADD CONSTRAINT "recharge_rule_watch" CHECK (watch IN ('cloud', 'wallet'));
-- A rule that acts has a due time, and no other rule has one.
ALTER TABLE "recharge_rule" ADD CONSTRAINT "recharge_rule_never_forgotten"
  CHECK ((status = 'active') = (due_at IS NOT NULL));
ALTER TABLE "recharge_rule" ADD CONSTRAINT "recharge_rule_paused_because"
  CHECK ((status = 'paused') = (paused_because IS NOT NULL));

CREATE INDEX "recharge_rule_due" ON "recharge_rule" (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX "recharge_rule_watching_wallets" ON "recharge_rule" (id) WHERE due_at IS NOT NULL AND watch = 'wallet';
CREATE INDEX "recharge_rule_awaiting" ON "recharge_rule" (id) WHERE due_at IS NOT NULL AND awaits_recharge;

CREATE TABLE "rule_consent" (
    "rule_id" UUID NOT NULL,
    "terms_version" INTEGER NOT NULL,
    "terms_hash" TEXT NOT NULL,
    "terms" JSONB NOT NULL,
    "actor" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rule_consent_pkey" PRIMARY KEY ("rule_id", "terms_version")
);

CREATE TABLE "rule_decision" (
    "rule_id" UUID NOT NULL,
    "seq" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "balance_minor" BIGINT,
    "decided" TEXT NOT NULL,
    "because" TEXT NOT NULL,
    "amount_minor" BIGINT,
    "transaction_id" UUID,
    "numbers" JSONB NOT NULL,

    CONSTRAINT "rule_decision_pkey" PRIMARY KEY ("rule_id", "seq")
);

ALTER TABLE "rule_decision" ADD CONSTRAINT "rule_decision_decided"
  CHECK (decided IN ('recharge', 'nothing', 'held_back'));
ALTER TABLE "rule_decision" ADD CONSTRAINT "rule_decision_recharges"
  CHECK ((decided = 'recharge') = (transaction_id IS NOT NULL)
    AND (transaction_id IS NULL OR amount_minor IS NOT NULL));
-- Caps count what a rule created. Most decisions create nothing.
CREATE INDEX "rule_decision_recharge" ON "rule_decision" (rule_id, at) WHERE transaction_id IS NOT NULL;
CREATE UNIQUE INDEX "rule_decision_transaction_id_key" ON "rule_decision"("transaction_id");

CREATE TRIGGER "rule_consent_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "rule_consent"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "rule_decision_append_only" BEFORE UPDATE OR TRUNCATE ON "rule_decision"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
-- Old looks that created nothing may be forgotten. What created a recharge stays.
CREATE TRIGGER "rule_decision_kept" BEFORE DELETE ON "rule_decision"
  FOR EACH ROW WHEN (OLD.transaction_id IS NOT NULL) EXECUTE FUNCTION "refuse_change"();

-- One row: whether all rules are stopped.
CREATE TABLE "rule_switch" (
    "id" INTEGER NOT NULL,
    "is_stopped" BOOLEAN NOT NULL DEFAULT false,
    "actor" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rule_switch_pkey" PRIMARY KEY ("id")
);

ALTER TABLE "rule_switch" ADD CONSTRAINT "rule_switch_one_row" CHECK (id = 1);
INSERT INTO "rule_switch" ("id", "actor") VALUES (1, 'migration');

-- The balances of cloud accounts that rules watch. One row per account says when it was asked for last.
CREATE TABLE "watched_account" (
    "provider" TEXT NOT NULL,
    "provider_account" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "asked_at" TIMESTAMPTZ(3),
    "wait_until" TIMESTAMPTZ(3),
    "balance_minor" BIGINT,
    "read_at" TIMESTAMPTZ(3),
    "kept_at" TIMESTAMPTZ(3),

    CONSTRAINT "watched_account_pkey" PRIMARY KEY ("provider", "provider_account", "account", "currency")
);

CREATE TABLE "account_reading" (
    "provider" TEXT NOT NULL,
    "provider_account" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "balance_minor" BIGINT NOT NULL,

    CONSTRAINT "account_reading_pkey" PRIMARY KEY ("provider", "provider_account", "account", "currency", "at")
);
