-- Counters of what rules created, by owner, by source account and for all rules. Caps over many rules are held on them,
-- and people are told how much of such a cap is used.
--
-- On a live database: the table is new. The migration reads the recharges of rules of the present month once, and locks
-- rule_decision against writes for a moment. Rules that an older release lets decide meanwhile are not counted.

CREATE TABLE "rule_counter" (
    "name" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "amounts" JSONB NOT NULL DEFAULT '{}',
    "times" JSONB NOT NULL DEFAULT '{}',
    "month" INTEGER NOT NULL DEFAULT 0,
    "month_minor" DECIMAL(38,0) NOT NULL DEFAULT 0,
    "month_times" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "rule_counter_pkey" PRIMARY KEY ("name", "currency")
);

-- What rules created in the present month and in the last day.
INSERT INTO rule_counter (name, currency, amounts, times, month, month_minor, month_times)
WITH made AS (
  SELECT
    decision.at,
    decision.amount_minor,
    recharge.currency,
    unnest(ARRAY[
      'fleet',
      'owner ' || recharge.client_id,
      'source ' || coalesce(recharge.payee ->> 'provider', recharge.provider)
        || '/' || coalesce(recharge.payee ->> 'providerAccount', recharge.provider_account)]) AS name
  FROM rule_decision decision
  JOIN recharge_transaction recharge ON recharge.id = decision.transaction_id
  WHERE decision.at > least(now() - interval '25 hours', date_trunc('month', now(), 'UTC'))),
steps AS (
  SELECT name, currency, day_step(at) AS step, sum(amount_minor) AS minor, count(*) AS times
  FROM made
  GROUP BY 1, 2, 3),
days AS (
  SELECT
    name,
    currency,
    coalesce(jsonb_object_agg(step::text, minor) FILTER (WHERE step >= day_step(now()) - 96), '{}') AS amounts,
    coalesce(jsonb_object_agg(step::text, times) FILTER (WHERE step >= day_step(now()) - 96), '{}') AS times
  FROM steps
  GROUP BY 1, 2)
SELECT
  days.name,
  days.currency,
  days.amounts,
  days.times,
  extract(year FROM now() AT TIME ZONE 'UTC')::int * 12 + extract(month FROM now() AT TIME ZONE 'UTC')::int - 1,
  coalesce(sum(made.amount_minor) FILTER (WHERE made.at >= date_trunc('month', now(), 'UTC')), 0),
  count(*) FILTER (WHERE made.at >= date_trunc('month', now(), 'UTC'))
FROM days
JOIN made USING (name, currency)
GROUP BY 1, 2, 3, 4;

-- One mark of a cap: of 80, 90 and 100 percent the highest that is reached, told once per window.
CREATE FUNCTION "tell_cap"(
    "told" JSONB, "subject_name" TEXT, "cap_name" TEXT, "used" NUMERIC, "cap_value" NUMERIC, "is_held" BOOLEAN,
    "happened_at" TIMESTAMPTZ, "window_start" TIMESTAMPTZ)
  RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  percent INTEGER := CASE
    WHEN is_held OR used >= cap_value THEN 100
    WHEN used * 100 >= cap_value * 90 THEN 90
    WHEN used * 100 >= cap_value * 80 THEN 80 END;
BEGIN
  IF percent IS NULL OR cap_value IS NULL THEN
    RETURN;
  END IF;
  PERFORM stage_notice('rule_cap', concat_ws(' ', subject_name, cap_name, percent),
    told || jsonb_build_object(
      'cap', cap_name, 'percent', percent::text, 'used', used::text, 'limit', cap_value::text),
    happened_at, window_start);
END $$;

-- The wider caps that the decision names. Their counters are locked, so that two rules that are held back at once tell it
-- once. The names are locked in the order in which the statements of decisions lock them.
CREATE FUNCTION "tell_wider_caps"("decision" rule_decision, "told" JSONB) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  wider RECORD;
  reason TEXT;
  month_start TIMESTAMPTZ := date_trunc('month', decision.at, 'UTC');
BEGIN
  PERFORM FROM rule_counter counter
    JOIN jsonb_array_elements(decision.numbers -> 'wider') cap
      ON counter.name = cap ->> 'name' AND counter.currency = cap ->> 'currency'
    ORDER BY counter.name COLLATE "C"
    FOR UPDATE OF counter;
  FOR wider IN
    SELECT
      cap ->> 'scope' AS scope,
      cap ->> 'name' AS name,
      cap ->> 'currency' AS currency,
      cap -> 'limits' AS limits,
      coalesce(day_sum(counter.amounts, day_step(decision.at)), 0) AS day_minor,
      coalesce(day_sum(counter.times, day_step(decision.at)), 0) AS times_in_day,
      coalesce(counter.month_minor, 0) AS month_minor,
      coalesce(counter.month_times, 0) AS times_in_month
    FROM jsonb_array_elements(decision.numbers -> 'wider') cap
    LEFT JOIN rule_counter counter ON counter.name = cap ->> 'name' AND counter.currency = cap ->> 'currency'
      AND counter.month >= extract(year FROM month_start AT TIME ZONE 'UTC')::int * 12
        + extract(month FROM month_start AT TIME ZONE 'UTC')::int - 1
  LOOP
    reason := upper(wider.scope) || '_CAP';
    PERFORM tell_cap(
      told || jsonb_build_object('scope', wider.scope, 'scopeName', wider.name),
      concat_ws(' ', wider.name, wider.currency), one.name, one.used, (wider.limits ->> one.name)::numeric,
      decision.because = reason AND decision.numbers ->> 'cap' = one.name,
      decision.at, one.since)
    FROM (VALUES
      ('perDayMinor', wider.day_minor, decision.at - interval '1 day'),
      ('timesPerDay', wider.times_in_day, decision.at - interval '1 day'),
      ('perMonthMinor', wider.month_minor, month_start - interval '1 ms'),
      ('timesPerMonth', wider.times_in_month::numeric, month_start - interval '1 ms')) one (name, used, since);
  END LOOP;
END $$;

CREATE OR REPLACE FUNCTION "tell_decision"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rule recharge_rule;
  about JSONB;
  month_start TIMESTAMPTZ;
BEGIN
  IF NOT EXISTS (SELECT FROM notice_channel WHERE is_open) THEN
    RETURN NULL;
  END IF;
  SELECT * INTO rule FROM recharge_rule WHERE id = NEW.rule_id;
  about := jsonb_build_object('ruleId', rule.id, 'accountId', rule.account_id, 'currency', rule.currency);
  IF NEW.because = 'NOTIFY_ONLY' THEN
    IF EXISTS (
      SELECT FROM rule_decision before
      WHERE before.rule_id = NEW.rule_id AND before.seq = NEW.seq - 1 AND before.because = 'NOTIFY_ONLY')
    THEN
      RETURN NULL;
    END IF;
    PERFORM stage_notice('rule_due', rule.id::text, about || jsonb_build_object(
        'balance', NEW.balance_minor::text, 'below', rule.below_minor::text, 'amount', NEW.amount_minor::text),
      NEW.at, NEW.at - interval '1 hour');
    RETURN NULL;
  END IF;
  month_start := date_trunc('month', NEW.at, coalesce(rule.terms ->> 'timeZone', 'UTC'));
  PERFORM tell_cap(
    about, rule.id::text, one.name, one.used, (rule.terms #>> ARRAY['caps', one.name])::numeric,
    NEW.because = 'CAP_REACHED' AND NEW.numbers ->> 'cap' = one.name, NEW.at, one.since)
  FROM (
    SELECT
      coalesce(sum(amount_minor) FILTER (WHERE at > NEW.at - interval '1 day'), 0) AS day_minor,
      count(*) FILTER (WHERE at > NEW.at - interval '1 day') AS times_in_day,
      coalesce(sum(amount_minor) FILTER (WHERE at >= month_start), 0) AS month_minor,
      count(*) FILTER (WHERE at >= month_start) AS times_in_month
    FROM rule_decision
    WHERE rule_id = NEW.rule_id AND transaction_id IS NOT NULL
      AND at >= least(NEW.at - interval '1 day', month_start)) spent
  CROSS JOIN LATERAL (VALUES
    ('perDayMinor', spent.day_minor, NEW.at - interval '1 day'),
    ('timesPerDay', spent.times_in_day::numeric, NEW.at - interval '1 day'),
    ('perMonthMinor', spent.month_minor, month_start - interval '1 ms'),
    ('timesPerMonth', spent.times_in_month::numeric, month_start - interval '1 ms')) one (name, used, since)
  WHERE (rule.terms #>> ARRAY['caps', one.name])::numeric > 0;
  IF NEW.numbers ? 'wider' THEN
    PERFORM tell_wider_caps(NEW, about);
  END IF;
  RETURN NULL;
END $$;

DROP TRIGGER "rule_decision_notices" ON "rule_decision";
CREATE TRIGGER "rule_decision_notices" AFTER INSERT ON "rule_decision" FOR EACH ROW
  WHEN (NEW.transaction_id IS NOT NULL
    OR NEW.because IN ('NOTIFY_ONLY', 'CAP_REACHED', 'OWNER_CAP', 'SOURCE_CAP', 'FLEET_CAP'))
  EXECUTE FUNCTION "tell_decision"();
