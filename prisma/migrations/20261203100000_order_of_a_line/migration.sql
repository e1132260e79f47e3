-- A person may adopt a line of a statement whose order no recharge has named yet. Its money is then booked. So no other
-- recharge books money of this order: neither as its own order, nor in suspense as a second one.
CREATE FUNCTION "refuse_adopted_order"("provider_of" TEXT, "account_of" TEXT, "order_id" TEXT, "recharge_id" UUID)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  "adopted_as" UUID;
BEGIN
  SELECT recharge.id INTO "adopted_as"
  FROM "recharge_transaction" recharge
  WHERE recharge.provider = "provider_of" AND recharge.provider_order_id = "order_id"
    AND recharge.provider_account = "account_of" AND recharge.payment_method = 'external' AND recharge.id <> "recharge_id"
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'order % is money of recharge %, which was adopted from a line of a statement', "order_id", "adopted_as"
      USING ERRCODE = 'check_violation', CONSTRAINT = 'order_adopted_once';
  END IF;
END $$;

CREATE FUNCTION "refuse_adopted_own_order"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "refuse_adopted_order"(NEW.provider, NEW.provider_account, NEW.provider_order_id, NEW.id);
  RETURN NEW;
END $$;

-- A refund may have the order id of the recharge that it pays back.
CREATE TRIGGER "recharge_transaction_order_adopted_once" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    OLD.provider_order_id IS NULL AND NEW.provider_order_id IS NOT NULL AND NEW.kind IN ('collect', 'deliver'))
  EXECUTE FUNCTION "refuse_adopted_own_order"();

CREATE FUNCTION "refuse_adopted_suspense"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM "refuse_adopted_order"(
    recharge.provider, recharge.provider_account, suspended."money" ->> 'providerOrderId', recharge.id)
  FROM jsonb_array_elements(NEW.suspended) AS suspended("money")
  JOIN "recharge_transaction" recharge ON recharge.id = NEW.transaction_id;
  RETURN NEW;
END $$;

CREATE TRIGGER "reconciliation_case_order_adopted_once" BEFORE INSERT OR UPDATE OF "suspended" ON "reconciliation_case"
  FOR EACH ROW WHEN (NEW.suspended <> '[]')
  EXECUTE FUNCTION "refuse_adopted_suspense"();

-- Whether an order has money in suspense is asked for each case of a list.
DROP INDEX "reconciliation_case_with_money";
CREATE INDEX "reconciliation_case_suspended" ON "reconciliation_case" USING gin (suspended jsonb_path_ops)
  WHERE suspended <> '[]';
