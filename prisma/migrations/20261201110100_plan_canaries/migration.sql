-- A canary of a plan: until something has arrived at a new payee, only a line of at most this amount goes to it. The other
-- lines of its account are held, each as a row of recharge_plan_held.
--
-- On a live database: the table is new, and a nullable column rewrites no row. The index on recharge_plan_line locks the
-- table against new plans while it is built, some seconds per million lines.

ALTER TABLE "recharge_plan" ADD COLUMN "canary_minor" BIGINT;
ALTER TABLE "recharge_plan" ADD CONSTRAINT "recharge_plan_canary_positive" CHECK (canary_minor > 0) NOT VALID;
ALTER TABLE "recharge_plan" VALIDATE CONSTRAINT "recharge_plan_canary_positive";

-- The canary of an account is its first small line.
CREATE INDEX "recharge_plan_line_plan_id_account_id_place_idx" ON "recharge_plan_line"("plan_id", "account_id", "place");

CREATE TABLE "recharge_plan_held" (
    "plan_id" UUID NOT NULL,
    "place" INTEGER NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "due_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "recharge_plan_held_pkey" PRIMARY KEY ("plan_id", "place")
);

CREATE INDEX "recharge_plan_held_plan_id_due_at_idx" ON "recharge_plan_held"("plan_id", "due_at");
ALTER TABLE "recharge_plan_held" ADD CONSTRAINT "recharge_plan_held_plan_id_place_fkey"
  FOREIGN KEY ("plan_id", "place") REFERENCES "recharge_plan_line"("plan_id", "place")
  ON DELETE RESTRICT ON UPDATE CASCADE;

-- The canary is one of the terms that never change.
DROP TRIGGER "recharge_plan_same_terms" ON "recharge_plan";
CREATE TRIGGER "recharge_plan_same_terms" BEFORE UPDATE ON "recharge_plan" FOR EACH ROW
  WHEN (ROW(OLD.id, OLD.client_id, OLD.name, OLD.idempotency_key, OLD.fingerprint, OLD.currency, OLD.lines,
      OLD.total_minor, OLD.budget_minor, OLD.canary_minor, OLD.created_by, OLD.created_at)
    IS DISTINCT FROM ROW(NEW.id, NEW.client_id, NEW.name, NEW.idempotency_key, NEW.fingerprint, NEW.currency, NEW.lines,
      NEW.total_minor, NEW.budget_minor, NEW.canary_minor, NEW.created_by, NEW.created_at))
  EXECUTE FUNCTION "refuse_other_plan"();

CREATE OR REPLACE VIEW "report"."plans" AS
  SELECT id AS plan_id, name, status, lines, total_minor AS total, currency, budget_minor AS budget, client_id,
    created_by, started_by, paused_because, created_at, started_at, finished_at, canary_minor AS canary
  FROM recharge_plan;
