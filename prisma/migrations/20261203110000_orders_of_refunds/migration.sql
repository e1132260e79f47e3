-- A refund has the payment method of the recharge that it pays back, and is not adopted for that. It may have the order
-- id of that recharge, so its own late money or wrong amount may name an order that was adopted.
CREATE OR REPLACE FUNCTION "refuse_adopted_order"("provider_of" TEXT, "account_of" TEXT, "order_id" TEXT, "recharge_id" UUID)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  "adopted_as" UUID;
BEGIN
  SELECT recharge.id INTO "adopted_as"
  FROM "recharge_transaction" recharge
  WHERE recharge.provider = "provider_of" AND recharge.provider_order_id = "order_id"
    AND recharge.provider_account = "account_of" AND recharge.payment_method = 'external' AND recharge.kind = 'collect'
    AND recharge.id <> "recharge_id"
    AND recharge.id IS DISTINCT FROM (
      SELECT refund.refund_of FROM "recharge_transaction" refund WHERE refund.id = "recharge_id")
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'order % is money of recharge %, which was adopted from a line of a statement', "order_id", "adopted_as"
      USING ERRCODE = 'check_violation', CONSTRAINT = 'order_adopted_once';
  END IF;
END $$;

-- The money of a recall comes in, so a line of it may have been adopted.
DROP TRIGGER "recharge_transaction_order_adopted_once" ON "recharge_transaction";
CREATE TRIGGER "recharge_transaction_order_adopted_once" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    OLD.provider_order_id IS NULL AND NEW.provider_order_id IS NOT NULL AND NEW.kind <> 'refund')
  EXECUTE FUNCTION "refuse_adopted_own_order"();
