-- The processes may have a role of their own that owns nothing. Only the owner of a table may give it partitions, so
-- this function works with the rights of its owner. It takes names from no schema that its caller can write to, and
-- bounds what its caller may ask for.

CREATE OR REPLACE FUNCTION "ensure_audit_partitions"(months_ahead int, calls_max int DEFAULT 100000) RETURNS int
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  this_month date := date_trunc('month', now() AT TIME ZONE 'UTC');
  made int := 0;
  netted date;
  behind timestamptz := '-infinity';
BEGIN
  FOR i IN 0 .. least(months_ahead, 12) LOOP
    made := made + make_audit_partition((this_month + i * interval '1 month')::date, least(calls_max, 100000));
  END LOOP;
  FOR i IN 1 .. 3 LOOP
    SELECT date_trunc('month', at AT TIME ZONE 'UTC') INTO netted
      FROM audit.call_default WHERE at >= behind ORDER BY at LIMIT 1;
    EXIT WHEN netted IS NULL;
    made := made + make_audit_partition(netted, least(calls_max, 100000));
    behind := (netted + interval '1 month') AT TIME ZONE 'UTC';
  END LOOP;
  RETURN made;
END $$;

REVOKE EXECUTE ON FUNCTION "ensure_audit_partitions"(int, int) FROM PUBLIC;
