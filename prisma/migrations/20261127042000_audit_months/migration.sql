-- Refused calls have indexes of their own: they are few, and they are what is looked for. Indexes over all calls would
-- cost each call more than its row does (43 us became 103 us, measured with three of them).
CREATE INDEX "audit_call_refused_by_status" ON "audit_call" ("client_id", "status", "at", "id") WHERE status >= 400;
CREATE INDEX "audit_call_refused_by_correlation_id" ON "audit_call" ("correlation_id", "at", "id") WHERE status >= 400;

-- Makes the partition of one month if it is missing. Calls of that month that are in the net go there with it: as long as
-- one of them is in the net, the month cannot have a partition. Writers wait for that, two seconds at most for its lock;
-- a month of more than `calls_max` calls stays in the net. Returns how many partitions it made.
CREATE FUNCTION "make_audit_partition"(month date, calls_max int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  name text := 'call_' || to_char(month, 'YYYY_MM');
  first_at timestamptz := month::timestamp AT TIME ZONE 'UTC';
  end_at timestamptz := (month + interval '1 month') AT TIME ZONE 'UTC';
  calls int;
BEGIN
  IF to_regclass('audit.' || name) IS NOT NULL THEN RETURN 0; END IF;
  PERFORM pg_advisory_xact_lock(7215002);
  IF to_regclass('audit.' || name) IS NOT NULL THEN RETURN 0; END IF;
  PERFORM set_config('lock_timeout', '2s', true);
  SELECT count(*) INTO calls FROM (
    SELECT FROM audit.call_default WHERE at >= first_at AND at < end_at LIMIT calls_max + 1) few;
  IF calls > calls_max THEN
    RAISE WARNING 'audit.call_default holds more than % calls of %', calls_max, to_char(month, 'YYYY-MM');
    RETURN 0;
  END IF;
  -- Without it a call could come into the net between the look and the move.
  IF calls > 0 THEN ALTER TABLE audit_call DETACH PARTITION audit.call_default; END IF;
  EXECUTE format('CREATE TABLE audit.%I PARTITION OF audit_call FOR VALUES FROM (%L) TO (%L)', name, first_at, end_at);
  EXECUTE format('CREATE TRIGGER audit_call_kept BEFORE TRUNCATE ON audit.%I
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  IF calls > 0 THEN
    WITH moved AS (DELETE FROM audit.call_default WHERE at >= first_at AND at < end_at RETURNING *)
    INSERT INTO audit_call SELECT * FROM moved;
    ALTER TABLE audit_call ATTACH PARTITION audit.call_default DEFAULT;
  END IF;
  RETURN 1;
END $$;

-- Makes the partitions from this month on that are missing, and those of up to three months that the net holds calls of;
-- returns how many it made.
DROP FUNCTION "ensure_audit_partitions"(int);
CREATE FUNCTION "ensure_audit_partitions"(months_ahead int, calls_max int DEFAULT 100000) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
  made int := 0;
  netted date;
  behind timestamptz := '-infinity';
BEGIN
  FOR i IN 0 .. months_ahead LOOP
    made := made + make_audit_partition((this_month + i * interval '1 month')::date, calls_max);
  END LOOP;
  FOR i IN 1 .. 3 LOOP
    SELECT date_trunc('month', at AT TIME ZONE 'UTC') INTO netted
      FROM audit.call_default WHERE at >= behind ORDER BY at LIMIT 1;
    EXIT WHEN netted IS NULL;
    made := made + make_audit_partition(netted, calls_max);
    behind := (netted + interval '1 month') AT TIME ZONE 'UTC';
  END LOOP;
  RETURN made;
END $$;

-- Drops the partitions of months before the given one, and what the net holds of them; returns their names.
CREATE OR REPLACE FUNCTION "drop_audit_partitions"(before date) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  name text;
  end_at timestamptz := date_trunc('month', before::timestamp) AT TIME ZONE 'UTC';
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
  IF EXISTS (SELECT FROM audit.call_default WHERE at < end_at) THEN
    ALTER TABLE audit_call DETACH PARTITION audit.call_default;
    DELETE FROM audit.call_default WHERE at < end_at;
    ALTER TABLE audit_call ATTACH PARTITION audit.call_default DEFAULT;
    RETURN NEXT 'call_default';
  END IF;
END $$;
