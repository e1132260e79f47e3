-- The events `rule.paused` and `plan.finished`, staged by the statement that pauses a rule or finishes a plan.
--
-- On a live database: the triggers lock recharge_rule and recharge_plan against writes for a moment.

CREATE FUNCTION "stage_rule_paused"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stage_callback(NEW.client_id, NEW.account_id, NEW.id, NULL, 'rule.paused', NEW.version,
    jsonb_build_object('data', jsonb_build_object(
      'ruleId', NEW.id,
      'accountId', NEW.account_id,
      'currency', NEW.currency,
      'watch', NEW.watch,
      'mode', NEW.terms ->> 'mode',
      'status', NEW.status,
      'pausedBecause', NEW.paused_because,
      'lastTransactionId', NEW.last_recharge_id,
      'version', NEW.version)));
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_rule_callbacks" AFTER UPDATE ON "recharge_rule"
  FOR EACH ROW WHEN (OLD.status <> 'paused' AND NEW.status = 'paused') EXECUTE FUNCTION "stage_rule_paused"();

-- The lines are counted only where somebody listens: a plan may have 10,000 of them.
CREATE FUNCTION "stage_plan_finished"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  counts jsonb;
BEGIN
  IF NOT EXISTS (SELECT FROM callback_receivers(NEW.client_id, NULL, NULL, 'plan.finished')) THEN
    RETURN NULL;
  END IF;
  SELECT jsonb_build_object(
      'succeeded', count(*) FILTER (WHERE line.status = 'succeeded'),
      'failed', count(*) FILTER (WHERE line.status = 'failed'),
      'canceled', count(*) FILTER (WHERE line.status = 'canceled'),
      'amountSucceeded', coalesce(sum(line.amount) FILTER (WHERE line.status = 'succeeded'), 0))
    INTO counts
    FROM report.plan_lines line
    WHERE line.plan_id = NEW.id;
  PERFORM stage_callback(NEW.client_id, NULL, NEW.id, NULL, 'plan.finished', 1,
    jsonb_build_object('data', jsonb_build_object(
      'planId', NEW.id,
      'name', NEW.name,
      'status', NEW.status,
      'currency', NEW.currency,
      'lines', NEW.lines,
      'total', NEW.total_minor,
      'startedAt', to_json(NEW.started_at AT TIME ZONE 'UTC') #>> '{}' || 'Z',
      'finishedAt', to_json(NEW.finished_at AT TIME ZONE 'UTC') #>> '{}' || 'Z',
      'version', 1) || counts));
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_plan_callbacks" AFTER UPDATE ON "recharge_plan"
  FOR EACH ROW WHEN (OLD.status <> 'finished' AND NEW.status = 'finished') EXECUTE FUNCTION "stage_plan_finished"();
