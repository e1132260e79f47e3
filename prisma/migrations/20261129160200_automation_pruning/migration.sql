-- Indexes with which the chores find old looks, old balances and the deliveries of an old event.
--
-- On a live database: each index locks its table against writes while it is built, some seconds per million rows. No
-- recharge writes to these tables unless a rule or a callback is used.

CREATE INDEX "rule_decision_looks" ON "rule_decision" (at) WHERE transaction_id IS NULL;
CREATE INDEX "account_reading_at_idx" ON "account_reading" ("at");
CREATE INDEX "callback_delivery_event_id_idx" ON "callback_delivery" ("event_id");
