-- The lowest id of a time. No id is older than 1970. Before, an earlier time had an id above all others, so a list from
-- such a time on was empty.
CREATE OR REPLACE FUNCTION "uuid_from"("at" TIMESTAMPTZ) RETURNS UUID LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex(greatest((extract(epoch FROM at) * 1000)::bigint, 0)), 12, '0') || '70008000000000000000')::uuid
$$;
