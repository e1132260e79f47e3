-- An order of a provider is the order of one recharge. So its money is booked once: as the recharge's own, or in suspense
-- for the one recharge that a report named with it. What names it for another recharge is refused, and a case tells it.
-- A refund may have the order id of the recharge that it pays back.
--
-- On a live database: the new index takes the place of one of the same size. Its building reads the table once and holds
-- up writes meanwhile.

-- Recharges that share an order are a contradiction of the provider's. The later one gives its order up. A report will
-- name the order again if the recharge is unfinished.
ALTER TABLE "recharge_transaction" DISABLE TRIGGER USER;
UPDATE "recharge_transaction" later SET provider_order_id = NULL
WHERE later.provider_order_id IS NOT NULL AND later.kind <> 'refund' AND EXISTS (
  SELECT FROM "recharge_transaction" first
  WHERE first.provider = later.provider AND first.provider_account = later.provider_account
    AND first.provider_order_id = later.provider_order_id AND first.kind <> 'refund' AND first.id < later.id);
ALTER TABLE "recharge_transaction" ENABLE TRIGGER USER;

DROP INDEX "recharge_transaction_adopted_order";
DROP INDEX "recharge_transaction_provider_order";
-- All rows but those of refunds have the same null in the last column, and it is not distinct from itself.
CREATE UNIQUE INDEX "recharge_transaction_provider_order" ON "recharge_transaction" (
  provider, provider_order_id, provider_account, (CASE WHEN kind = 'refund' THEN id END)) NULLS NOT DISTINCT
  WHERE provider_order_id IS NOT NULL;

DROP TRIGGER "recharge_transaction_order_adopted_once" ON "recharge_transaction";
DROP TRIGGER "reconciliation_case_order_adopted_once" ON "reconciliation_case";
DROP FUNCTION "refuse_adopted_own_order"();
DROP FUNCTION "refuse_adopted_suspense"();
DROP FUNCTION "refuse_adopted_order"(TEXT, TEXT, TEXT, UUID);

-- A report that names an order, and a case that holds money of it, are written one after the other. The reports share the
-- lock of an order, so they do not wait for each other.
CREATE FUNCTION "order_lock"("provider" TEXT, "provider_account" TEXT, "order_id" TEXT) RETURNS BIGINT LANGUAGE sql IMMUTABLE
RETURN hashtextextended("provider" || ' ' || "provider_account" || ' ' || "order_id", 0);

-- The first question reads one index, also where it is planned while the tables are empty. The second one alone, planned
-- then, read all recharges for each order.
CREATE FUNCTION "refuse_order_in_suspense"() RETURNS trigger LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
  "held_for" UUID;
BEGIN
  PERFORM pg_advisory_xact_lock_shared(order_lock(NEW.provider, NEW.provider_account, NEW.provider_order_id));
  IF NOT EXISTS (
    SELECT FROM "reconciliation_case" holding
    WHERE holding.suspended <> '[]'
      AND holding.suspended @> jsonb_build_array(jsonb_build_object('providerOrderId', NEW.provider_order_id))) THEN
    RETURN NEW;
  END IF;
  SELECT holder.id INTO "held_for"
  FROM "reconciliation_case" holding
  JOIN "recharge_transaction" holder ON holder.id = holding.transaction_id
  WHERE holding.suspended <> '[]'
    AND holding.suspended @> jsonb_build_array(jsonb_build_object('providerOrderId', NEW.provider_order_id))
    AND holder.provider = NEW.provider AND holder.provider_account = NEW.provider_account
    AND holder.id <> NEW.id AND holder.refund_of IS DISTINCT FROM NEW.id
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'order % has money in suspense for recharge %', NEW.provider_order_id, "held_for"
      USING ERRCODE = 'check_violation', CONSTRAINT = 'order_booked_once';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "recharge_transaction_order_booked_once" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    OLD.provider_order_id IS NULL AND NEW.provider_order_id IS NOT NULL AND NEW.kind <> 'refund')
  EXECUTE FUNCTION "refuse_order_in_suspense"();

CREATE FUNCTION "refuse_suspense_of_booked_order"() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  "holder" RECORD;
  "order_id" TEXT;
  "booked_for" UUID;
BEGIN
  SELECT recharge.id, recharge.provider, recharge.provider_account, recharge.refund_of INTO "holder"
  FROM "recharge_transaction" recharge WHERE recharge.id = NEW.transaction_id;
  FOR "order_id" IN
    SELECT DISTINCT suspended."money" ->> 'providerOrderId' AS "id"
    FROM jsonb_array_elements(NEW.suspended) AS suspended("money")
    WHERE suspended."money" ->> 'providerOrderId' IS NOT NULL
    ORDER BY "id"
  LOOP
    PERFORM pg_advisory_xact_lock(order_lock("holder".provider, "holder".provider_account, "order_id"));
    SELECT other.id INTO "booked_for"
    FROM "recharge_transaction" other
    WHERE other.provider = "holder".provider AND other.provider_account = "holder".provider_account
      AND other.provider_order_id = "order_id" AND other.kind <> 'refund'
      AND other.id <> "holder".id AND other.id IS DISTINCT FROM "holder".refund_of
    LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'order % is the order of recharge %', "order_id", "booked_for"
        USING ERRCODE = 'check_violation', CONSTRAINT = 'order_booked_once';
    END IF;
  END LOOP;
  RETURN NEW;
END $$;

CREATE TRIGGER "reconciliation_case_order_booked_once" BEFORE INSERT OR UPDATE OF "suspended" ON "reconciliation_case"
  FOR EACH ROW WHEN (NEW.suspended <> '[]')
  EXECUTE FUNCTION "refuse_suspense_of_booked_order"();
