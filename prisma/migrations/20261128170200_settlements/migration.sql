-- What was settled, in the order of time, for exports of a day. Entries come at the end of the index, once per recharge.
--
-- The index is built while writers wait: about a second per 500,000 recharges. On books that cannot wait so long build
-- it beforehand, under the same name and with CONCURRENTLY (docs/operations.md); what is there already is passed over.

CREATE INDEX IF NOT EXISTS "recharge_transaction_settled" ON "recharge_transaction" ("succeeded_at", "id")
  WHERE succeeded_at IS NOT NULL;
