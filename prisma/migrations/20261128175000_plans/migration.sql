-- Plans: many recharges that are checked together and started together. The tables are new, and the views and the
-- function replace none: safe on a live database.

CREATE TABLE "recharge_plan" (
    "id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "idempotency_key" TEXT,
    "fingerprint" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'draft',
    "currency" TEXT NOT NULL,
    "lines" INTEGER NOT NULL,
    "total_minor" BIGINT NOT NULL,
    "budget_minor" BIGINT,
    "correlation_id" TEXT NOT NULL,
    "created_by" TEXT NOT NULL,
    "started_by" TEXT,
    "paused_because" TEXT,
    "next_place" INTEGER NOT NULL DEFAULT 1,
    "settled_places" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "recharge_plan_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "recharge_plan_client_id_name_key" ON "recharge_plan"("client_id", "name");
CREATE UNIQUE INDEX "recharge_plan_client_id_idempotency_key_key" ON "recharge_plan"("client_id", "idempotency_key");
CREATE INDEX "recharge_plan_client_id_id_idx" ON "recharge_plan"("client_id", "id");
CREATE INDEX "recharge_plan_due" ON "recharge_plan" (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE "recharge_plan" ADD CONSTRAINT "recharge_plan_status"
  CHECK (status IN ('draft', 'waiting', 'running', 'paused', 'finished', 'canceled'));
-- A plan that runs is never forgotten. Every other one waits for a person, or is over.
ALTER TABLE "recharge_plan" ADD CONSTRAINT "recharge_plan_never_forgotten"
  CHECK ((due_at IS NOT NULL) = (status = 'running'));
ALTER TABLE "recharge_plan" ADD CONSTRAINT "recharge_plan_budget" CHECK (total_minor <= budget_minor);

CREATE TABLE "recharge_plan_line" (
    "plan_id" UUID NOT NULL,
    "place" INTEGER NOT NULL,
    "line" INTEGER NOT NULL,
    "account_id" TEXT NOT NULL,
    "amount_minor" BIGINT NOT NULL,
    "payment_method" TEXT NOT NULL,
    "destination" TEXT,
    "order_reference" TEXT,

    CONSTRAINT "recharge_plan_line_pkey" PRIMARY KEY ("plan_id", "place")
);

CREATE UNIQUE INDEX "recharge_plan_line_plan_id_line_key" ON "recharge_plan_line"("plan_id", "line");
ALTER TABLE "recharge_plan_line" ADD CONSTRAINT "recharge_plan_line_plan_id_fkey"
  FOREIGN KEY ("plan_id") REFERENCES "recharge_plan"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "recharge_plan_line" ADD CONSTRAINT "recharge_plan_line_amount_positive" CHECK (amount_minor > 0);

-- Lines that the create refused. A line without a recharge and without a row here is not started.
CREATE TABLE "recharge_plan_refusal" (
    "plan_id" UUID NOT NULL,
    "place" INTEGER NOT NULL,
    "code" TEXT NOT NULL,
    "message" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recharge_plan_refusal_pkey" PRIMARY KEY ("plan_id", "place")
);

ALTER TABLE "recharge_plan_refusal" ADD CONSTRAINT "recharge_plan_refusal_plan_id_place_fkey"
  FOREIGN KEY ("plan_id", "place") REFERENCES "recharge_plan_line"("plan_id", "place")
  ON DELETE RESTRICT ON UPDATE CASCADE;

CREATE TRIGGER "recharge_plan_line_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "recharge_plan_line"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "recharge_plan_refusal_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "recharge_plan_refusal"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "recharge_plan_kept" BEFORE DELETE OR TRUNCATE ON "recharge_plan"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- What was approved is what runs.
CREATE FUNCTION "refuse_other_plan"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'plan % cannot get other terms', OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_plan_same_terms';
END $$;

CREATE TRIGGER "recharge_plan_same_terms" BEFORE UPDATE ON "recharge_plan" FOR EACH ROW
  WHEN (ROW(OLD.id, OLD.client_id, OLD.name, OLD.idempotency_key, OLD.fingerprint, OLD.currency, OLD.lines,
      OLD.total_minor, OLD.budget_minor, OLD.created_by, OLD.created_at)
    IS DISTINCT FROM ROW(NEW.id, NEW.client_id, NEW.name, NEW.idempotency_key, NEW.fingerprint, NEW.currency, NEW.lines,
      NEW.total_minor, NEW.budget_minor, NEW.created_by, NEW.created_at))
  EXECUTE FUNCTION "refuse_other_plan"();

-- The status of a whole recharge, as producers see it. The database's own copy of `wholeStatusOf` of the ingress; a test
-- holds the two equal.
CREATE FUNCTION "whole_status"(kind text, state text, has_payee boolean, delivery_state text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE state
    WHEN 'CREATED' THEN 'accepted'
    WHEN 'FAILED' THEN 'failed'
    WHEN 'CANCELED' THEN 'canceled'
    WHEN 'SUCCEEDED' THEN CASE
      WHEN kind <> 'collect' OR NOT has_payee OR delivery_state IS NULL OR delivery_state = 'SUCCEEDED' THEN 'succeeded'
      WHEN delivery_state IN ('FAILED', 'CANCELED') THEN 'failed'
      ELSE 'in_progress' END
    ELSE 'in_progress' END;

CREATE VIEW "report"."plans" AS
  SELECT id AS plan_id, name, status, lines, total_minor AS total, currency, budget_minor AS budget, client_id,
    created_by, started_by, paused_because, created_at, started_at, finished_at
  FROM recharge_plan;

CREATE VIEW "report"."plan_lines" AS
  SELECT line.plan_id, line.line, recharge.id AS transaction_id,
    CASE
      WHEN recharge.id IS NOT NULL
        THEN whole_status(recharge.kind, recharge.state, recharge.payee IS NOT NULL, delivery.state)
      WHEN refusal.place IS NOT NULL THEN 'failed'
      ELSE 'not_started' END AS status,
    line.account_id, line.amount_minor AS amount, plan.currency, line.payment_method, line.destination,
    line.order_reference, coalesce(recharge.failure_code, delivery.failure_code, refusal.code) AS failure_code
  FROM recharge_plan_line line
  JOIN recharge_plan plan ON plan.id = line.plan_id
  LEFT JOIN recharge_request request
    ON request.client_id = plan.client_id AND request.idempotency_key = 'plan ' || plan.id || ' ' || line.line
  LEFT JOIN recharge_transaction recharge ON recharge.id = request.transaction_id
  LEFT JOIN recharge_transaction delivery ON delivery.collected_by = recharge.id
  LEFT JOIN recharge_plan_refusal refusal ON refusal.plan_id = line.plan_id AND refusal.place = line.place;

CREATE TRIGGER "plans_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."plans"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "plan_lines_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."plan_lines"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
