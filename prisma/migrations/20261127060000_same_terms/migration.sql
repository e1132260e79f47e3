-- Everything that a producer asked for, and the provider that was chosen for it, stays as it was stored.

DROP TRIGGER "recharge_transaction_same_terms" ON "recharge_transaction";
CREATE TRIGGER "recharge_transaction_same_terms" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    (OLD.id, OLD.client_id, OLD.account_id, OLD.kind, OLD.amount_minor, OLD.currency, OLD.payment_method, OLD.provider,
      OLD.order_reference)
    IS DISTINCT FROM
    (NEW.id, NEW.client_id, NEW.account_id, NEW.kind, NEW.amount_minor, NEW.currency, NEW.payment_method, NEW.provider,
      NEW.order_reference))
  EXECUTE FUNCTION "refuse_other_terms"();

-- Attempts, transitions and versions are counted forwards, and an order that is known stays known.

CREATE FUNCTION "refuse_step_back"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'recharge % cannot lose an attempt, a transition, a version or its order', OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_transaction_only_forward';
END $$;

CREATE TRIGGER "recharge_transaction_only_forward" BEFORE UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (
    NEW.attempt < OLD.attempt OR NEW.seq < OLD.seq OR NEW.version < OLD.version
    OR (OLD.provider_order_id IS NOT NULL AND NEW.provider_order_id IS DISTINCT FROM OLD.provider_order_id))
  EXECUTE FUNCTION "refuse_step_back"();

-- What a provider signed is evidence. Its bytes may be emptied once they are processed, which a prune does; they are
-- never replaced.

CREATE FUNCTION "refuse_other_event"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'event % of % cannot change', OLD.event_id, OLD.provider
    USING ERRCODE = 'check_violation', CONSTRAINT = 'webhook_event_same_event';
END $$;

CREATE TRIGGER "webhook_event_same_event" BEFORE UPDATE ON "webhook_event"
  FOR EACH ROW WHEN (
    (OLD.id, OLD.provider, OLD.event_id, OLD.body_hash)
      IS DISTINCT FROM (NEW.id, NEW.provider, NEW.event_id, NEW.body_hash)
    OR (NEW.raw_body IS DISTINCT FROM OLD.raw_body AND (NEW.raw_body <> ''::bytea OR NEW.processed_at IS NULL)))
  EXECUTE FUNCTION "refuse_other_event"();
