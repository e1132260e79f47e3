-- From here on the counts of plans are kept.
--
-- On a live database: it locks new requests, recharges and refusals of lines against writes while it counts the lines of
-- all plans, some ten seconds for 100,000 lines. Reads go on.

LOCK TABLE "recharge_request", "recharge_transaction", "transition", "recharge_plan_refusal" IN SHARE ROW EXCLUSIVE MODE;

UPDATE recharge_transaction recharge SET recharge_plan_id = line.plan_id
  FROM report.plan_lines line WHERE recharge.id = line.transaction_id;
UPDATE recharge_transaction delivery SET recharge_plan_id = collect.recharge_plan_id
  FROM recharge_transaction collect
  WHERE delivery.collected_by = collect.id AND collect.recharge_plan_id IS NOT NULL;

INSERT INTO recharge_plan_count (plan_id, accepted_lines, accepted_minor, in_progress_lines, in_progress_minor,
    succeeded_lines, succeeded_minor, failed_lines, failed_minor, canceled_lines, canceled_minor)
  SELECT
    plan_id,
    count(*) FILTER (WHERE status = 'accepted'),
    coalesce(sum(amount) FILTER (WHERE status = 'accepted'), 0),
    count(*) FILTER (WHERE status = 'in_progress'),
    coalesce(sum(amount) FILTER (WHERE status = 'in_progress'), 0),
    count(*) FILTER (WHERE status = 'succeeded'),
    coalesce(sum(amount) FILTER (WHERE status = 'succeeded'), 0),
    count(*) FILTER (WHERE status = 'failed'),
    coalesce(sum(amount) FILTER (WHERE status = 'failed'), 0),
    count(*) FILTER (WHERE status = 'canceled'),
    coalesce(sum(amount) FILTER (WHERE status = 'canceled'), 0)
  FROM report.plan_lines
  WHERE status <> 'not_started'
  GROUP BY plan_id;

-- The triggers fire for single rows, because only a row tells whether it is of a plan. A trigger for a statement would
-- cost every recharge a copy of its row.
CREATE TRIGGER "recharge_request_plan_count" AFTER INSERT ON "recharge_request" FOR EACH ROW
  WHEN (NEW.idempotency_key LIKE 'plan %') EXECUTE FUNCTION "count_line_recharge"();
CREATE TRIGGER "recharge_transaction_plan" BEFORE INSERT ON "recharge_transaction" FOR EACH ROW
  WHEN (NEW.collected_by IS NOT NULL) EXECUTE FUNCTION "give_delivery_its_plan"();
CREATE TRIGGER "recharge_transaction_plan_count" AFTER UPDATE ON "recharge_transaction" FOR EACH ROW
  WHEN (NEW.recharge_plan_id IS NOT NULL AND OLD.state IS DISTINCT FROM NEW.state)
  EXECUTE FUNCTION "count_line_move"();
CREATE TRIGGER "recharge_plan_refusal_count" AFTER INSERT ON "recharge_plan_refusal"
  FOR EACH ROW EXECUTE FUNCTION "count_refused_line"();
