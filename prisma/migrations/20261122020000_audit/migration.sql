-- What calls did, who is locked out, and how much each caller has used of its limit.

ALTER TABLE "api_key" ADD COLUMN "locked_until" TIMESTAMPTZ(3),
  ADD COLUMN "lock_reason" TEXT;

CREATE TABLE "rate_limit" (
    "key" VARCHAR(255) NOT NULL,
    "points" INTEGER NOT NULL DEFAULT 0,
    "expire" BIGINT,

    CONSTRAINT "rate_limit_pkey" PRIMARY KEY ("key")
);

CREATE TABLE "security_event" (
    "id" BIGSERIAL NOT NULL,
    "rule" TEXT NOT NULL,
    "client_id" UUID,
    "key_id" TEXT,
    "count" INTEGER NOT NULL,
    "detail" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "security_event_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "security_event_key_id_rule_at_idx" ON "security_event"("key_id", "rule", "at");
CREATE INDEX "security_event_client_id_rule_at_idx" ON "security_event"("client_id", "rule", "at");

CREATE TABLE "audit_call" (
    "id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "ip" TEXT NOT NULL,
    "client_id" UUID,
    "key_id" TEXT,
    "method" TEXT NOT NULL,
    "route" TEXT NOT NULL,
    "params" JSONB NOT NULL,
    "account_id" TEXT,
    "status" INTEGER NOT NULL,
    "code" TEXT,
    "duration_ms" DOUBLE PRECISION NOT NULL,
    "correlation_id" TEXT NOT NULL,

    CONSTRAINT "audit_call_pkey" PRIMARY KEY ("at","id")
) PARTITION BY RANGE ("at");

CREATE INDEX "audit_call_client_id_at_id_idx" ON "audit_call"("client_id", "at", "id");

-- From here on by hand.

-- A crash of the server may empty it: every caller has its whole minute again then, and no count waits for the disk.
ALTER TABLE "rate_limit" SET UNLOGGED;
ALTER TABLE "rate_limit" SET (fillfactor = 50);

-- Of all keys a handful is locked at any time, and every ingress asks which.
CREATE INDEX "api_key_locked" ON "api_key" ("locked_until") WHERE locked_until IS NOT NULL;

-- Partitions have a schema of their own: dropping one is the only way that calls leave the trail.
CREATE SCHEMA "audit";

-- Row by row and not by statement: Postgres copies row triggers to every partition, and a delete that names the
-- partition is refused like one that names the whole.
CREATE TRIGGER "audit_call_append_only" BEFORE UPDATE OR DELETE ON "audit_call"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "audit_call_kept" BEFORE TRUNCATE ON "audit_call"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- A net for calls whose month has no partition. It stays empty as long as any reconciliation worker runs.
CREATE TABLE "audit"."call_default" PARTITION OF "audit_call" DEFAULT;
CREATE TRIGGER "audit_call_kept" BEFORE TRUNCATE ON "audit"."call_default"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Makes the partitions from this month on that are missing; returns how many it made.
CREATE FUNCTION "ensure_audit_partitions"(months_ahead int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  month date;
  name text;
  made int := 0;
BEGIN
  FOR i IN 0 .. months_ahead LOOP
    month := date_trunc('month', now() AT TIME ZONE 'UTC') + i * interval '1 month';
    name := 'call_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass('audit.' || name) IS NOT NULL;
    PERFORM pg_advisory_xact_lock(7215002);
    CONTINUE WHEN to_regclass('audit.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit_call FOR VALUES FROM (%L) TO (%L)', name,
        month::text || ' 00:00:00+00', (month + interval '1 month')::date::text || ' 00:00:00+00');
      EXECUTE format('CREATE TRIGGER audit_call_kept BEFORE TRUNCATE ON audit.%I
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
      made := made + 1;
    EXCEPTION WHEN check_violation THEN
      -- Calls of that month are in the net already; they stay there, and so does the rest of the month.
      RAISE WARNING 'audit.call_default holds calls of %', to_char(month, 'YYYY-MM');
    END;
  END LOOP;
  RETURN made;
END $$;

-- Drops the partitions of months before the given one; returns their names.
CREATE FUNCTION "drop_audit_partitions"(before date) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'audit' AND c.relkind = 'r' AND c.relname ~ '^call_\d{4}_\d{2}$'
      AND c.relname < 'call_' || to_char(before, 'YYYY_MM')
    ORDER BY 1
  LOOP
    EXECUTE format('DROP TABLE audit.%I', name);
    RETURN NEXT name;
  END LOOP;
END $$;

SELECT ensure_audit_partitions(2);

CREATE VIEW "report"."calls" AS
  SELECT id AS call_id, at, ip, client_id, key_id, method, route, params, account_id, status, code, duration_ms,
    correlation_id
  FROM audit_call;

CREATE VIEW "report"."security_events" AS
  SELECT id AS event_id, rule, client_id, key_id, count, detail, at FROM security_event;
