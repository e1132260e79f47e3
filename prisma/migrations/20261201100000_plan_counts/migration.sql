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

-- Counts that lines have left one status for another. Their plans are counted in the order of their ids. Each takes a share
-- that no other statement holds, and makes one if there is none. So a plan has no more shares than there were statements
-- at once.
CREATE FUNCTION "count_plan_lines"("plans" UUID[], "amounts" BIGINT[], "was" TEXT[], "becomes" TEXT[])
  RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  step RECORD;
BEGIN
  FOR step IN
    SELECT
      plan_id,
      sum((next = 'accepted')::int - (last = 'accepted')::int) AS accepted,
      sum(minor * ((next = 'accepted')::int - (last = 'accepted')::int)) AS accepted_minor,
      sum((next = 'in_progress')::int - (last = 'in_progress')::int) AS in_progress,
      sum(minor * ((next = 'in_progress')::int - (last = 'in_progress')::int)) AS in_progress_minor,
      sum((next = 'succeeded')::int - (last = 'succeeded')::int) AS succeeded,
      sum(minor * ((next = 'succeeded')::int - (last = 'succeeded')::int)) AS succeeded_minor,
      sum((next = 'failed')::int - (last = 'failed')::int) AS failed,
      sum(minor * ((next = 'failed')::int - (last = 'failed')::int)) AS failed_minor,
      sum((next = 'canceled')::int - (last = 'canceled')::int) AS canceled,
      sum(minor * ((next = 'canceled')::int - (last = 'canceled')::int)) AS canceled_minor
    FROM unnest(plans, amounts, was, becomes) AS line(plan_id, minor, last, next)
    WHERE last <> next
    GROUP BY plan_id
    ORDER BY plan_id
  LOOP
    LOOP
      WITH free AS MATERIALIZED (
        SELECT share FROM recharge_plan_count
        WHERE plan_id = step.plan_id
        ORDER BY share LIMIT 1
        FOR UPDATE SKIP LOCKED)
      UPDATE recharge_plan_count kept
      SET
        accepted_lines = kept.accepted_lines + step.accepted,
        accepted_minor = kept.accepted_minor + step.accepted_minor,
        in_progress_lines = kept.in_progress_lines + step.in_progress,
        in_progress_minor = kept.in_progress_minor + step.in_progress_minor,
        succeeded_lines = kept.succeeded_lines + step.succeeded,
        succeeded_minor = kept.succeeded_minor + step.succeeded_minor,
        failed_lines = kept.failed_lines + step.failed,
        failed_minor = kept.failed_minor + step.failed_minor,
        canceled_lines = kept.canceled_lines + step.canceled,
        canceled_minor = kept.canceled_minor + step.canceled_minor
      FROM free
      WHERE kept.plan_id = step.plan_id AND kept.share = free.share;
      EXIT WHEN FOUND;
      INSERT INTO recharge_plan_count (plan_id) VALUES (step.plan_id);
    END LOOP;
  END LOOP;
END $$;

-- Lines get their recharges. Their plans are locked against a refusal of the same line at the same time, so the later of
-- the two knows the earlier one.
CREATE FUNCTION "count_line_recharges"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  given UUID[];
  plans UUID[];
  amounts BIGINT[];
  was TEXT[];
  becomes TEXT[];
BEGIN
  SELECT array_agg(transaction_id) INTO given FROM new_rows WHERE idempotency_key LIKE 'plan %';
  IF given IS NULL THEN
    RETURN NULL;
  END IF;
  PERFORM FROM recharge_plan
    WHERE id IN (
      SELECT split_part(idempotency_key, ' ', 2)::uuid FROM new_rows WHERE transaction_id = ANY(given))
    ORDER BY id
    FOR KEY SHARE;
  WITH
  wanted AS MATERIALIZED (
    SELECT transaction_id, client_id, split_part(idempotency_key, ' ', 2)::uuid AS plan_id,
      split_part(idempotency_key, ' ', 3)::integer AS line
    FROM new_rows
    WHERE transaction_id = ANY(given)),
  started AS MATERIALIZED (
    SELECT wanted.transaction_id, wanted.plan_id, line.amount_minor,
      CASE WHEN refusal.place IS NULL THEN 'not_started' ELSE 'failed' END AS last
    FROM wanted
    JOIN recharge_plan plan ON plan.id = wanted.plan_id AND plan.client_id = wanted.client_id
    -- The limit lets each line be found by its number. A join may read all lines of the plan for each.
    CROSS JOIN LATERAL (
      SELECT place, amount_minor FROM recharge_plan_line
      WHERE plan_id = wanted.plan_id AND line = wanted.line LIMIT 1) line
    LEFT JOIN recharge_plan_refusal refusal ON refusal.plan_id = wanted.plan_id AND refusal.place = line.place),
  marked AS (
    UPDATE recharge_transaction recharge SET recharge_plan_id = started.plan_id
    FROM started
    WHERE recharge.id = started.transaction_id
    RETURNING started.*, whole_status(recharge.kind, recharge.state, recharge.payee IS NOT NULL, NULL) AS next)
  SELECT array_agg(plan_id), array_agg(amount_minor), array_agg(last), array_agg(next)
    INTO plans, amounts, was, becomes
    FROM marked;
  PERFORM count_plan_lines(plans, amounts, was, becomes);
  RETURN NULL;
END $$;

-- Lines are refused. If one has a recharge all the same, its status is that of the recharge.
CREATE FUNCTION "count_refused_lines"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM recharge_plan WHERE id IN (SELECT plan_id FROM new_rows) ORDER BY id FOR UPDATE;
  PERFORM count_plan_lines(array_agg(plan.id), array_agg(line.amount_minor), array_agg('not_started'::text),
      array_agg('failed'::text))
    FROM new_rows refusal
    JOIN recharge_plan plan ON plan.id = refusal.plan_id
    CROSS JOIN LATERAL (
      SELECT line, amount_minor FROM recharge_plan_line
      WHERE plan_id = refusal.plan_id AND place = refusal.place LIMIT 1) line
    WHERE NOT EXISTS (
      SELECT FROM recharge_request request
      WHERE request.client_id = plan.client_id
        AND request.idempotency_key = 'plan ' || plan.id || ' ' || line.line);
  RETURN NULL;
END $$;

-- The recharges of lines, and the deliveries of their money, move. A delivery exists only of a collect that has succeeded.
-- The delivery that this move makes gets the plan of its collect.
CREATE FUNCTION "count_line_moves"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  moved UUID[];
BEGIN
  SELECT array_agg(recharge.id) INTO moved
    FROM new_rows
    JOIN recharge_transaction recharge ON recharge.id = new_rows.transaction_id
    WHERE new_rows.verdict = 'moved' AND new_rows.from_state <> new_rows.to_state
      AND recharge.recharge_plan_id IS NOT NULL;
  IF moved IS NULL THEN
    RETURN NULL;
  END IF;
  UPDATE recharge_transaction delivery SET recharge_plan_id = collect.recharge_plan_id
    FROM recharge_transaction collect
    WHERE collect.id = ANY(moved) AND collect.state = 'SUCCEEDED' AND collect.payee IS NOT NULL
      AND delivery.collected_by = collect.id;
  PERFORM count_plan_lines(array_agg(recharge_plan_id), array_agg(amount_minor), array_agg(was), array_agg(becomes))
    FROM (
      SELECT
        recharge.recharge_plan_id,
        recharge.amount_minor,
        CASE WHEN recharge.collected_by IS NULL
          THEN whole_status(recharge.kind, step.from_state, recharge.payee IS NOT NULL, NULL)
          ELSE whole_status('collect', 'SUCCEEDED', true, step.from_state) END AS was,
        CASE WHEN recharge.collected_by IS NULL
          THEN whole_status(recharge.kind, step.to_state, recharge.payee IS NOT NULL, delivery.state)
          ELSE whole_status('collect', 'SUCCEEDED', true, step.to_state) END AS becomes
      FROM new_rows step
      JOIN recharge_transaction recharge ON recharge.id = step.transaction_id
      LEFT JOIN recharge_transaction delivery ON delivery.collected_by = recharge.id
      WHERE step.transaction_id = ANY(moved) AND step.verdict = 'moved' AND step.from_state <> step.to_state) line;
  RETURN NULL;
END $$;
