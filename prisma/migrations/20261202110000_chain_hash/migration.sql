-- The hashes of a batch of links, so that the sealer reads, hashes and writes in one statement.

CREATE FUNCTION "chain_next"("hash" BYTEA, "before" BYTEA, "said" TEXT) RETURNS BYTEA
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT sha256(coalesce(hash, before) || convert_to(said, 'UTF8'))
$$;

-- As a window function, it gives the hash of each row in turn. "before" is the hash before the first row.
CREATE AGGREGATE "chain_hash"("before" BYTEA, "said" TEXT) (SFUNC = "chain_next", STYPE = BYTEA);
