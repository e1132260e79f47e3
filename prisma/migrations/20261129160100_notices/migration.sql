-- Notices to the people who run the fleet. Triggers stage a notice in the statement that causes it, one per open channel,
-- and nothing where no channel is open.
--
-- On a live database: the tables are new, and the triggers lock five tables against writes for a moment. None of them is
-- on the way of a recharge that needs nobody.

CREATE TABLE "notice_channel" (
    "name" TEXT NOT NULL,
    "is_open" BOOLEAN NOT NULL,
    "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "hinted_until" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notice_channel_pkey" PRIMARY KEY ("name")
);

CREATE TABLE "notice" (
    "id" UUID NOT NULL,
    "channel" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "content" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "tries" INTEGER NOT NULL DEFAULT 0,
    "due_at" TIMESTAMPTZ(3) DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "notice_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "notice_channel_kind_subject_at_idx" ON "notice"("channel", "kind", "subject", "at");
CREATE INDEX "notice_due" ON "notice"("channel", "due_at") WHERE due_at IS NOT NULL;

ALTER TABLE "notice" ADD CONSTRAINT "notice_status" CHECK (status IN ('pending', 'sent', 'failed'));
-- A notice that was not told is never forgotten.
ALTER TABLE "notice" ADD CONSTRAINT "notice_never_forgotten" CHECK ((status = 'pending') = (due_at IS NOT NULL));
ALTER TABLE "notice" ADD CONSTRAINT "notice_channel_fkey"
  FOREIGN KEY ("channel") REFERENCES "notice_channel"("name") ON DELETE RESTRICT ON UPDATE CASCADE;

-- The one place that inserts. A subject is told once since a time, per kind and channel.
CREATE FUNCTION "stage_notice"(
    "of_kind" TEXT, "of_subject" TEXT, "of_content" JSONB, "happened_at" TIMESTAMPTZ, "once_since" TIMESTAMPTZ)
  RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO notice (id, channel, kind, subject, content, at)
  SELECT new_callback_id(), channel.name, of_kind, of_subject, of_content, happened_at
  FROM notice_channel channel
  WHERE channel.is_open AND NOT EXISTS (
    SELECT FROM notice told
    WHERE told.channel = channel.name AND told.kind = of_kind AND told.subject = of_subject
      AND told.at > once_since)
$$;

-- What a rule decided: that a person should recharge, and how much of its caps is used. Of several marks that are
-- reached together the highest is told, and each once per window: the last 24 hours, or the calendar month.
CREATE FUNCTION "tell_decision"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  rule recharge_rule;
  cap RECORD;
  month_start TIMESTAMPTZ;
BEGIN
  IF NOT EXISTS (SELECT FROM notice_channel WHERE is_open) THEN
    RETURN NULL;
  END IF;
  SELECT * INTO rule FROM recharge_rule WHERE id = NEW.rule_id;
  IF NEW.because = 'NOTIFY_ONLY' THEN
    IF EXISTS (
      SELECT FROM rule_decision before
      WHERE before.rule_id = NEW.rule_id AND before.seq = NEW.seq - 1 AND before.because = 'NOTIFY_ONLY')
    THEN
      RETURN NULL;
    END IF;
    PERFORM stage_notice('rule_due', rule.id::text, jsonb_build_object(
        'ruleId', rule.id, 'accountId', rule.account_id, 'currency', rule.currency,
        'balance', NEW.balance_minor::text, 'below', rule.below_minor::text, 'amount', NEW.amount_minor::text),
      NEW.at, NEW.at - interval '1 hour');
    RETURN NULL;
  END IF;
  month_start := date_trunc('month', NEW.at, coalesce(rule.terms ->> 'timeZone', 'UTC'));
  FOR cap IN
    WITH spent AS (
      SELECT
        coalesce(sum(amount_minor) FILTER (WHERE at > NEW.at - interval '1 day'), 0) AS day_minor,
        count(*) FILTER (WHERE at > NEW.at - interval '1 day') AS times_in_day,
        coalesce(sum(amount_minor) FILTER (WHERE at >= month_start), 0) AS month_minor
      FROM rule_decision
      WHERE rule_id = NEW.rule_id AND transaction_id IS NOT NULL
        AND at >= least(NEW.at - interval '1 day', month_start)),
    used AS (
      SELECT 'perDayMinor' AS name, day_minor AS used, NEW.at - interval '1 day' AS since FROM spent
      UNION ALL SELECT 'perMonthMinor', month_minor, month_start - interval '1 ms' FROM spent
      UNION ALL SELECT 'timesPerDay', times_in_day, NEW.at - interval '1 day' FROM spent)
    SELECT used.name, used.used, used.since, (rule.terms #>> ARRAY['caps', used.name])::numeric AS cap_value
    FROM used
    WHERE (rule.terms #>> ARRAY['caps', used.name])::numeric > 0
  LOOP
    CONTINUE WHEN NOT (cap.used * 100 >= cap.cap_value * 80
      OR (NEW.because = 'CAP_REACHED' AND NEW.numbers ->> 'cap' = cap.name));
    PERFORM stage_notice(
      'rule_cap',
      concat_ws(' ', rule.id, cap.name, mark.percent),
      jsonb_build_object(
        'ruleId', rule.id, 'accountId', rule.account_id, 'currency', rule.currency, 'cap', cap.name,
        'percent', mark.percent::text, 'used', cap.used::text, 'limit', cap.cap_value::text),
      NEW.at, cap.since)
    FROM (SELECT CASE
      WHEN cap.used >= cap.cap_value OR (NEW.because = 'CAP_REACHED' AND NEW.numbers ->> 'cap' = cap.name) THEN 100
      WHEN cap.used * 100 >= cap.cap_value * 90 THEN 90
      ELSE 80 END AS percent) mark;
  END LOOP;
  RETURN NULL;
END $$;

CREATE TRIGGER "rule_decision_notices" AFTER INSERT ON "rule_decision" FOR EACH ROW
  WHEN (NEW.transaction_id IS NOT NULL OR NEW.because IN ('NOTIFY_ONLY', 'CAP_REACHED'))
  EXECUTE FUNCTION "tell_decision"();

CREATE FUNCTION "tell_rule_paused"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stage_notice('rule_paused', NEW.id::text, jsonb_build_object(
      'ruleId', NEW.id, 'accountId', NEW.account_id, 'because', NEW.paused_because),
    clock_timestamp(), 'infinity');
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_rule_notices" AFTER UPDATE ON "recharge_rule" FOR EACH ROW
  WHEN (OLD.status <> 'paused' AND NEW.status = 'paused' AND NEW.paused_because <> 'BY_REQUEST')
  EXECUTE FUNCTION "tell_rule_paused"();

-- Also what a rule proposes: a proposal is a recharge that waits for an approval.
CREATE FUNCTION "tell_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stage_notice('approval_asked', NEW.id::text, jsonb_build_object(
      'approvalId', NEW.id,
      'approvalKind', NEW.kind,
      'accountId', recharge.account_id,
      'amount', coalesce(recharge.amount_minor, plan.total_minor)::text,
      'currency', coalesce(recharge.currency, plan.currency)),
    NEW.created_at, 'infinity')
  FROM (SELECT) one
  LEFT JOIN recharge_transaction recharge ON NEW.kind = 'recharge' AND recharge.id::text = NEW.subject
  LEFT JOIN recharge_plan plan ON NEW.kind = 'plan' AND plan.id::text = NEW.subject;
  RETURN NULL;
END $$;

CREATE TRIGGER "approval_notices" AFTER INSERT ON "approval" FOR EACH ROW EXECUTE FUNCTION "tell_approval"();

-- A pool is read while deliveries wait for it. It is told once per hour that it is short.
CREATE FUNCTION "tell_short_pool"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM notice_channel WHERE is_open) THEN
    RETURN NULL;
  END IF;
  PERFORM stage_notice('pool_short', concat_ws(' ', NEW.provider, NEW.provider_account, NEW.currency),
    jsonb_build_object(
      'provider', NEW.provider, 'providerAccount', NEW.provider_account, 'currency', NEW.currency,
      'available', NEW.transferable_minor::text, 'waiting', short.count::text, 'amount', short.amount_minor::text),
    clock_timestamp(), clock_timestamp() - interval '1 hour')
  FROM (
    SELECT count(*) AS count, sum(amount_minor) AS amount_minor
    FROM (
      SELECT recharge.amount_minor
      FROM recharge_transaction recharge
      WHERE recharge.provider = NEW.provider AND recharge.provider_account = NEW.provider_account
        AND recharge.currency = NEW.currency AND recharge.payee IS NOT NULL AND recharge.kind = 'deliver'
        AND recharge.due_at IS NOT NULL AND recharge.waiting ->> 'reason' = 'SOURCE_FUNDS'
      LIMIT 1500) counted) short
  WHERE short.amount_minor > NEW.transferable_minor;
  RETURN NULL;
END $$;

CREATE TRIGGER "pool_notices" AFTER UPDATE ON "pool" FOR EACH ROW
  WHEN (OLD.read_at IS DISTINCT FROM NEW.read_at) EXECUTE FUNCTION "tell_short_pool"();

CREATE FUNCTION "tell_case"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stage_notice('case_opened', NEW.id::text, jsonb_build_object(
      'caseId', NEW.id, 'caseKind', NEW.kind, 'transactionId', NEW.transaction_id, 'accountId', NEW.account_id,
      'amount', NEW.amount_minor::text, 'currency', NEW.currency),
    NEW.opened_at, 'infinity');
  RETURN NULL;
END $$;

CREATE TRIGGER "reconciliation_case_notices" AFTER INSERT ON "reconciliation_case" FOR EACH ROW
  EXECUTE FUNCTION "tell_case"();
