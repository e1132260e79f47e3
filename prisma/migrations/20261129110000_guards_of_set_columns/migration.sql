-- The conditions of these guards are read and evaluated for each statement that updates the table, although no statement
-- of ours sets one of these columns of a recharge, and only pruning sets one of an event. `UPDATE OF` leaves them out
-- for statements that set none of the columns. A statement that sets one is judged as before, since no other trigger
-- changes the new row.

DROP TRIGGER "recharge_transaction_same_terms" ON "recharge_transaction";
CREATE TRIGGER "recharge_transaction_same_terms"
  BEFORE UPDATE OF id, client_id, account_id, kind, amount_minor, currency, payment_method, provider, order_reference,
    provider_account, funding, payee, lane, collected_by, refund_of ON "recharge_transaction"
  FOR EACH ROW WHEN (
    (OLD.id, OLD.client_id, OLD.account_id, OLD.kind, OLD.amount_minor, OLD.currency, OLD.payment_method, OLD.provider,
      OLD.order_reference, OLD.provider_account, OLD.funding, OLD.payee, OLD.lane, OLD.collected_by, OLD.refund_of)
    IS DISTINCT FROM
    (NEW.id, NEW.client_id, NEW.account_id, NEW.kind, NEW.amount_minor, NEW.currency, NEW.payment_method, NEW.provider,
      NEW.order_reference, NEW.provider_account, NEW.funding, NEW.payee, NEW.lane, NEW.collected_by, NEW.refund_of))
  EXECUTE FUNCTION "refuse_other_terms"();

DROP TRIGGER "webhook_event_same_event" ON "webhook_event";
CREATE TRIGGER "webhook_event_same_event"
  BEFORE UPDATE OF id, provider, event_id, body_hash, raw_body ON "webhook_event"
  FOR EACH ROW WHEN (
    (OLD.id, OLD.provider, OLD.event_id, OLD.body_hash)
      IS DISTINCT FROM (NEW.id, NEW.provider, NEW.event_id, NEW.body_hash)
    OR (NEW.raw_body IS DISTINCT FROM OLD.raw_body AND (NEW.raw_body <> ''::bytea OR NEW.processed_at IS NULL)))
  EXECUTE FUNCTION "refuse_other_event"();
