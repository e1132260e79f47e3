-- The processes may have a role of their own that owns nothing. Only the owner of a table may give it partitions, so
-- this function works with the rights of its owner. It takes names from no schema that its caller can write to.

ALTER FUNCTION "ensure_audit_partitions"(int, int) SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp;
REVOKE EXECUTE ON FUNCTION "ensure_audit_partitions"(int, int) FROM PUBLIC;
