-- The progress of a plan, kept beside it. To look at each line cost a request as much as the plan has lines.
--
-- On a live database: the table is new, the column is empty, and the functions are not used yet. So this takes a moment.

-- The plan of a line's recharge, and of the delivery of its money. Null: every other recharge. Triggers set it, so a
-- recharge that an older release makes has it too.
ALTER TABLE "recharge_transaction" ADD COLUMN "recharge_plan_id" UUID;

-- The lines of a plan by status, and their amounts. A line that is not started is not counted. A plan has several shares,
-- and its counts are their sums: statements that count at once take a share each, so none waits for another.
CREATE TABLE "recharge_plan_count" (
    "plan_id" UUID NOT NULL,
    "share" BIGSERIAL NOT NULL,
    "accepted_lines" INTEGER NOT NULL DEFAULT 0,
    "accepted_minor" BIGINT NOT NULL DEFAULT 0,
    "in_progress_lines" INTEGER NOT NULL DEFAULT 0,
    "in_progress_minor" BIGINT NOT NULL DEFAULT 0,
    "succeeded_lines" INTEGER NOT NULL DEFAULT 0,
    "succeeded_minor" BIGINT NOT NULL DEFAULT 0,
    "failed_lines" INTEGER NOT NULL DEFAULT 0,
    "failed_minor" BIGINT NOT NULL DEFAULT 0,
    "canceled_lines" INTEGER NOT NULL DEFAULT 0,
    "canceled_minor" BIGINT NOT NULL DEFAULT 0,

    CONSTRAINT "recharge_plan_count_pkey" PRIMARY KEY ("plan_id", "share")
);

ALTER TABLE "recharge_plan_count" SET (fillfactor = 50);

-- Counts that a line has left one status for another. It takes a share that no other statement holds, and makes one if
-- there is none. So a plan has no more shares than there were statements at once.
CREATE FUNCTION "count_plan_line"("of_plan" UUID, "minor" BIGINT, "was" TEXT, "becomes" TEXT)
  RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF was = becomes THEN
    RETURN;
  END IF;
  LOOP
    WITH
    free AS MATERIALIZED (
      SELECT share FROM recharge_plan_count
      WHERE plan_id = of_plan
      ORDER BY share LIMIT 1
      FOR UPDATE SKIP LOCKED),
    step AS MATERIALIZED (
      SELECT
        (becomes = 'accepted')::int - (was = 'accepted')::int AS accepted,
        (becomes = 'in_progress')::int - (was = 'in_progress')::int AS in_progress,
        (becomes = 'succeeded')::int - (was = 'succeeded')::int AS succeeded,
        (becomes = 'failed')::int - (was = 'failed')::int AS failed,
        (becomes = 'canceled')::int - (was = 'canceled')::int AS canceled)
    UPDATE recharge_plan_count kept
    SET
      accepted_lines = accepted_lines + accepted,
      accepted_minor = accepted_minor + minor * accepted,
      in_progress_lines = in_progress_lines + in_progress,
      in_progress_minor = in_progress_minor + minor * in_progress,
      succeeded_lines = succeeded_lines + succeeded,
      succeeded_minor = succeeded_minor + minor * succeeded,
      failed_lines = failed_lines + failed,
      failed_minor = failed_minor + minor * failed,
      canceled_lines = canceled_lines + canceled,
      canceled_minor = canceled_minor + minor * canceled
    FROM free, step
    WHERE kept.plan_id = of_plan AND kept.share = free.share;
    EXIT WHEN FOUND;
    INSERT INTO recharge_plan_count (plan_id) VALUES (of_plan);
  END LOOP;
END $$;

-- A line gets its recharge. The plan is locked against a refusal of the same line at the same time, so the later of the
-- two knows the earlier one.
CREATE FUNCTION "count_line_recharge"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  plan UUID := split_part(NEW.idempotency_key, ' ', 2)::uuid;
  line RECORD;
BEGIN
  PERFORM FROM recharge_plan WHERE id = plan AND client_id = NEW.client_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT place, amount_minor INTO line FROM recharge_plan_line
    WHERE plan_id = plan AND recharge_plan_line.line = split_part(NEW.idempotency_key, ' ', 3)::integer;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  UPDATE recharge_transaction SET recharge_plan_id = plan WHERE id = NEW.transaction_id;
  PERFORM count_plan_line(plan, line.amount_minor,
      CASE WHEN EXISTS (SELECT FROM recharge_plan_refusal WHERE plan_id = plan AND place = line.place)
        THEN 'failed' ELSE 'not_started' END,
      whole_status(kind, state, payee IS NOT NULL, NULL))
    FROM recharge_transaction WHERE id = NEW.transaction_id;
  RETURN NULL;
END $$;

-- A line is refused. If it has a recharge all the same, its status is that of the recharge.
CREATE FUNCTION "count_refused_line"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM recharge_plan WHERE id = NEW.plan_id FOR UPDATE;
  PERFORM count_plan_line(plan.id, line.amount_minor, 'not_started', 'failed')
    FROM recharge_plan plan
    JOIN recharge_plan_line line ON line.plan_id = plan.id AND line.place = NEW.place
    WHERE plan.id = NEW.plan_id AND NOT EXISTS (
      SELECT FROM recharge_request request
      WHERE request.client_id = plan.client_id
        AND request.idempotency_key = 'plan ' || plan.id || ' ' || line.line);
  RETURN NULL;
END $$;

-- The delivery of a line's money gets the plan of its collect.
CREATE FUNCTION "give_delivery_its_plan"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  SELECT recharge_plan_id INTO NEW.recharge_plan_id FROM recharge_transaction WHERE id = NEW.collected_by;
  RETURN NEW;
END $$;

-- The recharge of a line, or the delivery of its money, moves. A delivery exists only of a collect that has succeeded.
CREATE FUNCTION "count_line_move"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.collected_by IS NULL THEN
    PERFORM count_plan_line(NEW.recharge_plan_id, NEW.amount_minor,
      whole_status(NEW.kind, OLD.state, NEW.payee IS NOT NULL, NULL),
      whole_status(NEW.kind, NEW.state, NEW.payee IS NOT NULL,
        (SELECT state FROM recharge_transaction WHERE collected_by = NEW.id)));
  ELSE
    PERFORM count_plan_line(NEW.recharge_plan_id, NEW.amount_minor,
      whole_status('collect', 'SUCCEEDED', true, OLD.state), whole_status('collect', 'SUCCEEDED', true, NEW.state));
  END IF;
  RETURN NULL;
END $$;
