-- Claims take from the money of a pool. Two claims at one moment must not both take the same money, so each one names the
-- version that it has seen. The indexes are small on a live database: no row has a payee yet.
ALTER TABLE "pool" ADD COLUMN "version" INTEGER NOT NULL DEFAULT 0;

-- The queue of a pool: its unfinished deliveries, in the order of their age.
CREATE INDEX "recharge_transaction_pool_queue" ON "recharge_transaction" (provider, provider_account, currency, id)
  WHERE payee IS NOT NULL AND kind = 'deliver' AND due_at IS NOT NULL;
-- The deliveries that a reading of the pool may not show yet.
CREATE INDEX "recharge_transaction_pool_spent" ON "recharge_transaction" (provider, provider_account, currency, succeeded_at)
  WHERE payee IS NOT NULL AND kind = 'deliver' AND succeeded_at IS NOT NULL;
