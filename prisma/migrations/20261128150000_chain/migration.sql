-- One chain of hashes over the journals, the transitions, the cases, the actions of operators, and the keys. A writer only notes what it wrote. The
-- sealer numbers the rows later, so no writer waits for another.
--
-- On a live database: the triggers lock the five tables against writes until this migration is committed. It notes
-- every row that exists, which takes some five seconds per million recharges.

CREATE TABLE "unsealed" (
    "id" BIGSERIAL NOT NULL,
    "source" TEXT NOT NULL,
    "keys" TEXT[],
    "body" JSONB,

    CONSTRAINT "unsealed_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "chain_link" (
    "seq" BIGINT NOT NULL,
    "source" TEXT NOT NULL,
    "row_key" TEXT NOT NULL,
    "body" JSONB,
    "hash" BYTEA NOT NULL,
    "sealed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chain_link_pkey" PRIMARY KEY ("seq")
);

CREATE INDEX "chain_link_source_row_key_seq_idx" ON "chain_link"("source", "row_key", "seq");

CREATE TRIGGER "chain_link_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "chain_link"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- What is hashed of a row. A column that a later migration adds must not join it: the hashes of old rows would change.
-- Times are milliseconds, because the text of a time depends on the session's time zone.

CREATE FUNCTION "chain_ms"("at" TIMESTAMPTZ) RETURNS BIGINT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (extract(epoch FROM at) * 1000)::bigint
$$;

CREATE FUNCTION "chain_body"("source" TEXT, "row_key" TEXT) RETURNS JSONB LANGUAGE sql STABLE AS $$
  SELECT CASE source
    WHEN 'journal' THEN (
      SELECT jsonb_build_array(journal.transaction_id, journal.slot, chain_ms(journal.at), (
        SELECT jsonb_agg(jsonb_build_array(entry.id, entry.transaction_id, entry.debit_account, entry.credit_account,
          entry.amount_minor, entry.currency, entry.debit_balance_minor, entry.credit_balance_minor,
          chain_ms(entry.at)) ORDER BY entry.id)
        FROM ledger_entry entry
        WHERE entry.journal_id = journal.id))
      FROM ledger_journal journal
      WHERE journal.id = row_key::uuid)
    WHEN 'transition' THEN (
      SELECT jsonb_build_array(step.news, step.verdict, step.from_state, step.to_state, step.source, step.reason,
        chain_ms(step.at))
      FROM transition step
      WHERE step.transaction_id = split_part(row_key, ' ', 1)::uuid AND step.seq = split_part(row_key, ' ', 2)::int)
    WHEN 'action' THEN (
      SELECT jsonb_build_array(action.transaction_id, action.case_id, action.actor, action.role, action.verb,
        action.subject, action.reason, action.evidence, chain_ms(action.at))
      FROM operator_action action
      WHERE action.id = row_key::uuid)
  END
$$;

-- The argument is the source.
CREATE FUNCTION "note_unsealed_ids"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unsealed (source, keys)
    SELECT TG_ARGV[0], array_agg(id::text ORDER BY id) FROM new_rows HAVING count(*) > 0;
  RETURN NULL;
END $$;

CREATE FUNCTION "note_unsealed_transitions"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unsealed (source, keys)
    SELECT 'transition', array_agg(transaction_id || ' ' || seq ORDER BY transaction_id, seq)
    FROM new_rows
    HAVING count(*) > 0;
  RETURN NULL;
END $$;

-- A case and a key change later. So their links keep what they said.

CREATE FUNCTION "chain_case"("one" "reconciliation_case") RETURNS JSONB LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(one) || jsonb_build_object('opened_at', chain_ms(one.opened_at), 'closed_at', chain_ms(one.closed_at))
$$;

CREATE FUNCTION "chain_key"("one" "api_key") RETURNS JSONB LANGUAGE sql STABLE AS $$
  SELECT to_jsonb(one) - 'secret_sealed' - 'previous_secret_sealed' || jsonb_build_object(
    'secret_hash', encode(one.secret_hash, 'hex'),
    'previous_secret_hash', encode(one.previous_secret_hash, 'hex'),
    'previous_valid_until', chain_ms(one.previous_valid_until),
    'expires_at', chain_ms(one.expires_at),
    'created_at', chain_ms(one.created_at),
    'revoked_at', chain_ms(one.revoked_at),
    'locked_until', chain_ms(one.locked_until))
$$;

CREATE FUNCTION "note_unsealed_case"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unsealed (source, keys, body) VALUES ('case', ARRAY[NEW.id::text], chain_case(NEW));
  RETURN NULL;
END $$;

CREATE FUNCTION "note_unsealed_key"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO unsealed (source, keys, body) VALUES ('key', ARRAY[NEW.id], chain_key(NEW));
  RETURN NULL;
END $$;

CREATE TRIGGER "ledger_journal_unsealed" AFTER INSERT ON "ledger_journal"
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "note_unsealed_ids"('journal');
CREATE TRIGGER "transition_unsealed" AFTER INSERT ON "transition"
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "note_unsealed_transitions"();
CREATE TRIGGER "operator_action_unsealed" AFTER INSERT ON "operator_action"
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "note_unsealed_ids"('action');
CREATE TRIGGER "reconciliation_case_unsealed" AFTER INSERT OR UPDATE ON "reconciliation_case"
  FOR EACH ROW EXECUTE FUNCTION "note_unsealed_case"();
CREATE TRIGGER "api_key_unsealed" AFTER INSERT OR UPDATE ON "api_key"
  FOR EACH ROW EXECUTE FUNCTION "note_unsealed_key"();

INSERT INTO "unsealed" (source, keys)
  SELECT 'transition', array_agg(key ORDER BY n)
  FROM (
    SELECT transaction_id || ' ' || seq AS key, row_number() OVER (ORDER BY transaction_id, seq) AS n
    FROM transition) numbered
  GROUP BY n / 64
  ORDER BY n / 64;
INSERT INTO "unsealed" (source, keys)
  SELECT 'journal', array_agg(key ORDER BY n)
  FROM (SELECT id::text AS key, row_number() OVER (ORDER BY id) AS n FROM ledger_journal) numbered
  GROUP BY n / 64
  ORDER BY n / 64;
INSERT INTO "unsealed" (source, keys)
  SELECT 'action', ARRAY[id::text] FROM operator_action ORDER BY id;
INSERT INTO "unsealed" (source, keys, body)
  SELECT 'case', ARRAY[one.id::text], chain_case(one) FROM reconciliation_case one ORDER BY one.id;
INSERT INTO "unsealed" (source, keys, body)
  SELECT 'key', ARRAY[one.id], chain_key(one) FROM api_key one ORDER BY one.created_at, one.id;

CREATE VIEW "report"."chain" AS
  SELECT seq, source, row_key, encode(hash, 'hex') AS hash, sealed_at FROM chain_link;

CREATE TRIGGER "chain_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."chain"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
