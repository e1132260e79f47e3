-- A move looks up its recharge only where somebody listens at all: two probes of small indexes instead of one look-up per
-- recharge.
--
-- On a live database: the index holds only recharges with a `callbackUrl`, but building it reads the whole table, and the
-- table takes no writes meanwhile.

CREATE INDEX "recharge_transaction_called_back" ON "recharge_transaction"("id") WHERE callback_url IS NOT NULL;
CREATE INDEX "callback_endpoint_any_active" ON "callback_endpoint"("status") WHERE status = 'active';

CREATE OR REPLACE FUNCTION "stage_moves"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM callback_endpoint WHERE status = 'active')
    AND NOT EXISTS (SELECT FROM recharge_transaction WHERE callback_url IS NOT NULL)
  THEN
    RETURN NULL;
  END IF;
  IF EXISTS (
    SELECT FROM new_rows
    JOIN recharge_transaction recharge ON recharge.id = new_rows.transaction_id
    WHERE new_rows.verdict = 'moved' AND (
      recharge.callback_url IS NOT NULL
      OR EXISTS (
        SELECT FROM recharge_transaction whole
        WHERE whole.id = recharge.collected_by AND whole.callback_url IS NOT NULL)
      OR EXISTS (
        SELECT FROM callback_endpoint endpoint
        WHERE endpoint.client_id = recharge.client_id AND endpoint.status = 'active')))
  THEN
    PERFORM stage_recharge_callback(whole, callback_type(recharge, new_rows.from_state, new_rows.to_state))
    FROM new_rows
    JOIN recharge_transaction recharge ON recharge.id = new_rows.transaction_id
    JOIN recharge_transaction whole ON whole.id = coalesce(recharge.collected_by, recharge.id)
    WHERE new_rows.verdict = 'moved' AND new_rows.from_state <> new_rows.to_state
      AND callback_type(recharge, new_rows.from_state, new_rows.to_state) IS NOT NULL;
  END IF;
  RETURN NULL;
END $$;
