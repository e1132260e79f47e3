-- When the provider says that it settled the order, by its own clock. Another event of the provider that is older tells
-- nothing new. A column without a default changes no row that is there.
ALTER TABLE "recharge_transaction" ADD COLUMN "settled_said_at" TIMESTAMPTZ(3);
