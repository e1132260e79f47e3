-- Recharges that go all the way: collected money is delivered to a cloud account, deliveries may be paid from an account
-- of the house, and both can be paid back.

ALTER TABLE "recharge_transaction"
  ADD COLUMN "provider_account" TEXT NOT NULL DEFAULT 'main',
  ADD COLUMN "funding" TEXT NOT NULL DEFAULT 'wallet',
  ADD COLUMN "payee" JSONB,
  ADD COLUMN "lane" TEXT,
  ADD COLUMN "collected_by" UUID,
  ADD COLUMN "refund_of" UUID,
  ADD COLUMN "external_reference" TEXT,
  ADD COLUMN "action" JSONB,
  ADD COLUMN "payable_until" TIMESTAMPTZ(3),
  ADD COLUMN "waiting" JSONB;

ALTER TABLE "recharge_transaction"
  DROP CONSTRAINT "recharge_transaction_kind",
  DROP CONSTRAINT "recharge_transaction_next_step",
  ADD CONSTRAINT "recharge_transaction_kind" CHECK (kind IN ('collect', 'deliver', 'refund', 'recall')) NOT VALID,
  ADD CONSTRAINT "recharge_transaction_next_step" CHECK (next_step IN ('submit', 'ask', 'cancel')) NOT VALID,
  ADD CONSTRAINT "recharge_transaction_funding" CHECK (
    funding IN ('wallet', 'house') AND (funding = 'wallet' OR kind IN ('deliver', 'recall'))) NOT VALID,
  ADD CONSTRAINT "recharge_transaction_collected_by" CHECK (collected_by IS NULL OR kind = 'deliver') NOT VALID,
  ADD CONSTRAINT "recharge_transaction_refund_of" CHECK (
    (refund_of IS NOT NULL) = (kind IN ('refund', 'recall'))) NOT VALID;
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_kind";
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_next_step";
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_funding";
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_collected_by";
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_refund_of";

-- A collected recharge has one delivery.
CREATE UNIQUE INDEX "recharge_transaction_one_delivery" ON "recharge_transaction" (collected_by)
  WHERE collected_by IS NOT NULL;
CREATE INDEX "recharge_transaction_refunds" ON "recharge_transaction" (refund_of, id) WHERE refund_of IS NOT NULL;
-- Only amount and time tell two transfers between the same accounts apart. So a lane has one of them at a time.
CREATE UNIQUE INDEX "recharge_transaction_one_in_lane" ON "recharge_transaction" (lane)
  WHERE lane IS NOT NULL AND state IN ('SUBMITTED', 'PENDING_CONFIRMATION');
CREATE INDEX "recharge_transaction_lane_queue" ON "recharge_transaction" (lane, id)
  WHERE lane IS NOT NULL AND due_at IS NOT NULL;

DROP TRIGGER "recharge_transaction_same_terms" ON "recharge_transaction";
CREATE TRIGGER "recharge_transaction_same_terms" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    (OLD.id, OLD.client_id, OLD.account_id, OLD.kind, OLD.amount_minor, OLD.currency, OLD.payment_method, OLD.provider,
      OLD.order_reference, OLD.provider_account, OLD.funding, OLD.payee, OLD.lane, OLD.collected_by, OLD.refund_of)
    IS DISTINCT FROM
    (NEW.id, NEW.client_id, NEW.account_id, NEW.kind, NEW.amount_minor, NEW.currency, NEW.payment_method, NEW.provider,
      NEW.order_reference, NEW.provider_account, NEW.funding, NEW.payee, NEW.lane, NEW.collected_by, NEW.refund_of))
  EXECUTE FUNCTION "refuse_other_terms"();

ALTER TABLE "provider_call" ADD COLUMN "evidence" JSONB;

-- Where the money of an account is delivered.
CREATE TABLE "payee" (
  "account_id" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "provider_account" TEXT NOT NULL,
  "from_account" TEXT,
  "to_account" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "set_by" TEXT NOT NULL,
  "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  CONSTRAINT "payee_pkey" PRIMARY KEY ("account_id")
);

-- The money of our account at a provider, as last read.
CREATE TABLE "pool" (
  "provider" TEXT NOT NULL,
  "provider_account" TEXT NOT NULL,
  "currency" TEXT NOT NULL,
  "transferable_minor" BIGINT NOT NULL,
  "read_at" TIMESTAMPTZ(3) NOT NULL,
  CONSTRAINT "pool_pkey" PRIMARY KEY ("provider", "provider_account", "currency")
);
