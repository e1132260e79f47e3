-- Cases that a person resolves: their money, the verbs, who decided and why. Columns without a default, or with a
-- constant one, change no row that is there. The updates below concern cases only, of which there are few.

ALTER TABLE "reconciliation_case"
  ADD COLUMN "client_id" UUID,
  ADD COLUMN "account_id" TEXT,
  ADD COLUMN "amount_minor" BIGINT,
  ADD COLUMN "currency" TEXT,
  ADD COLUMN "suspended" JSONB NOT NULL DEFAULT '[]',
  ADD COLUMN "evidence" JSONB,
  ADD COLUMN "verb" TEXT,
  ADD COLUMN "actor" TEXT,
  ADD COLUMN "reason" TEXT,
  ADD COLUMN "returned_by" UUID;

UPDATE "reconciliation_case" some_case
SET client_id = recharge.client_id,
  account_id = recharge.account_id,
  amount_minor = coalesce((detail -> 'money' ->> 'amountMinor')::bigint, recharge.amount_minor),
  currency = coalesce(detail -> 'money' ->> 'currency', recharge.currency)
FROM recharge_transaction recharge
WHERE recharge.id = some_case.transaction_id;

-- Money that is in suspense belongs to the newest case about it.
UPDATE "reconciliation_case" some_case
SET suspended = jsonb_build_array(jsonb_build_object(
    'amountMinor', entry.amount_minor::text, 'currency', entry.currency, 'providerOrderId', some_case.detail ->> 'providerOrderId')),
  amount_minor = entry.amount_minor,
  currency = entry.currency
FROM ledger_journal journal JOIN ledger_entry entry ON entry.journal_id = journal.id
WHERE journal.slot = 'suspense'
  AND some_case.id = (
    SELECT held.id FROM reconciliation_case held
    WHERE held.transaction_id = journal.transaction_id
      AND held.kind IN ('wrong_amount', 'late_money', 'several_orders', 'other_account')
    ORDER BY (held.detail -> 'money' ->> 'amountMinor') IS NOT DISTINCT FROM entry.amount_minor::text DESC,
      held.closed_at IS NULL DESC, held.opened_at DESC
    LIMIT 1);

-- Lists of cases, newest first: all of them, and those of a client.
CREATE INDEX "reconciliation_case_open_ids" ON "reconciliation_case" (id) WHERE closed_at IS NULL;
CREATE INDEX "reconciliation_case_open_of_client" ON "reconciliation_case" (client_id, id) WHERE closed_at IS NULL;
CREATE INDEX "reconciliation_case_client_id_id_idx" ON "reconciliation_case" (client_id, id);
CREATE UNIQUE INDEX "reconciliation_case_returned_by" ON "reconciliation_case" (returned_by) WHERE returned_by IS NOT NULL;

-- What a person decided. A client's key stands for one action.
CREATE TABLE "operator_action" (
  "id" UUID NOT NULL,
  "transaction_id" UUID,
  "case_id" UUID,
  "actor" TEXT NOT NULL,
  "role" TEXT NOT NULL,
  "verb" TEXT NOT NULL,
  "subject" TEXT NOT NULL,
  "reason" TEXT NOT NULL,
  "evidence" JSONB,
  "client_id" UUID,
  "idempotency_key" TEXT,
  "fingerprint" TEXT,
  "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "operator_action_pkey" PRIMARY KEY ("id")
);
CREATE INDEX "operator_action_transaction_id_idx" ON "operator_action" ("transaction_id");
CREATE UNIQUE INDEX "operator_action_client_id_idempotency_key_key" ON "operator_action" ("client_id", "idempotency_key");

CREATE TRIGGER "operator_action_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "operator_action"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Money comes to suspense several times, and leaves it by a person's decision.
ALTER TABLE "ledger_journal"
  DROP CONSTRAINT "ledger_journal_slot",
  ADD CONSTRAINT "ledger_journal_slot" CHECK (
    slot ~ '^(collect|hold|settle|reverse|adopt|(suspense|credit)(_[1-9][0-9]*)?)$') NOT VALID;
ALTER TABLE "ledger_journal" VALIDATE CONSTRAINT "ledger_journal_slot";

-- A refund that returns money is paid by suspense.
ALTER TABLE "recharge_transaction"
  DROP CONSTRAINT "recharge_transaction_funding",
  ADD CONSTRAINT "recharge_transaction_funding" CHECK (CASE funding
    WHEN 'wallet' THEN true
    WHEN 'house' THEN kind IN ('deliver', 'recall')
    WHEN 'suspense' THEN kind IN ('refund', 'recall')
    ELSE false END) NOT VALID;
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_funding";

-- Returned money is not money of the recharge itself, so it takes nothing from what can be refunded.
CREATE OR REPLACE FUNCTION "lock_for_refund"(recharge_id uuid)
  RETURNS TABLE (kind text, state text, left_minor bigint, refunds int) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM recharge_transaction recharge WHERE recharge.id = recharge_id FOR UPDATE;
  RETURN QUERY
    SELECT recharge.kind, recharge.state, (recharge.amount_minor - coalesce(sum(refund.amount_minor), 0))::bigint,
      count(refund.id)::int
    FROM recharge_transaction recharge
    LEFT JOIN recharge_transaction refund ON refund.refund_of = recharge.id
      AND refund.funding <> 'suspense'
      AND refund.state NOT IN ('FAILED', 'CANCELED')
    WHERE recharge.id = recharge_id
    GROUP BY recharge.id;
END $$;

CREATE OR REPLACE FUNCTION "is_legal_move"(from_state text, to_state text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (from_state, to_state) IN (
    ('CREATED', 'SUBMITTED'), ('CREATED', 'CANCELED'),
    ('SUBMITTED', 'PENDING_CONFIRMATION'), ('SUBMITTED', 'SUCCEEDED'), ('SUBMITTED', 'FAILED'),
    ('PENDING_CONFIRMATION', 'SUCCEEDED'), ('PENDING_CONFIRMATION', 'FAILED'), ('PENDING_CONFIRMATION', 'CANCELED'),
    ('FAILED', 'SUCCEEDED'), ('CANCELED', 'SUCCEEDED'));

-- A recharge that ended without money succeeds only by a person's decision with evidence, out of suspense. The trigger
-- fires at the end of the statement, so it sees the action and the journal of the same statement.
CREATE FUNCTION "refuse_unproven_adoption"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM operator_action action
      WHERE action.transaction_id = NEW.id AND action.verb = 'adopt' AND action.evidence IS NOT NULL)
    OR NOT EXISTS (SELECT FROM ledger_journal journal WHERE journal.transaction_id = NEW.id AND journal.slot = 'adopt') THEN
    RAISE EXCEPTION 'recharge % was % and cannot succeed without evidence', NEW.id, OLD.state
      USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_transaction_adopted_with_evidence';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_transaction_adopted_with_evidence" AFTER UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (OLD.state IN ('FAILED', 'CANCELED') AND NEW.state = 'SUCCEEDED')
  EXECUTE FUNCTION "refuse_unproven_adoption"();

-- An order that is known stays known, unless a person has it sent again: then the recharge waits for a new order.
DROP TRIGGER "recharge_transaction_only_forward" ON "recharge_transaction";
CREATE TRIGGER "recharge_transaction_only_forward" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    NEW.attempt < OLD.attempt OR NEW.seq < OLD.seq OR NEW.version < OLD.version
    OR (OLD.provider_order_id IS NOT NULL AND NEW.provider_order_id IS DISTINCT FROM OLD.provider_order_id
      AND NOT (NEW.provider_order_id IS NULL AND NEW.next_step = 'submit' AND NEW.confirmation = 'unknown'
        AND NEW.seq > OLD.seq)))
  EXECUTE FUNCTION "refuse_step_back"();

CREATE OR REPLACE VIEW "report"."cases" AS
  SELECT id AS case_id, transaction_id, kind, opened_at, closed_at, resolution, amount_minor AS amount, currency,
    CASE WHEN evidence IS NULL THEN detail ELSE detail || jsonb_build_object('given', evidence) END AS evidence,
    verb, actor, reason
  FROM reconciliation_case;

CREATE VIEW "report"."operator_actions" AS
  SELECT id AS action_id, actor, role, verb, subject, reason, at FROM operator_action;

CREATE TRIGGER "operator_actions_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."operator_actions"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
