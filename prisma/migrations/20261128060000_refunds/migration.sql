-- Refunds of recharges: why each was asked for, what is left to refund, and a view for finance.

ALTER TABLE "recharge_request" ADD COLUMN "reason" TEXT;

-- Locks a recharge until the commit and tells how much of it can still be refunded. Refunds that failed or were canceled
-- do not count. A statement sees what was committed before it began, so the sum of a statement that waited for the lock
-- would miss the refund that it waited for. Here the sum is a statement of its own, which begins after the wait.

CREATE FUNCTION "lock_for_refund"(recharge_id uuid)
  RETURNS TABLE (kind text, state text, left_minor bigint, refunds int) LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  PERFORM FROM recharge_transaction recharge WHERE recharge.id = recharge_id FOR UPDATE;
  RETURN QUERY
    SELECT recharge.kind, recharge.state, (recharge.amount_minor - coalesce(sum(refund.amount_minor), 0))::bigint,
      count(refund.id)::int
    FROM recharge_transaction recharge
    LEFT JOIN recharge_transaction refund ON refund.refund_of = recharge.id
      AND refund.state NOT IN ('FAILED', 'CANCELED')
    WHERE recharge.id = recharge_id
    GROUP BY recharge.id;
END $$;

CREATE VIEW "report"."refunds" AS
  SELECT t.id AS refund_id, t.refund_of AS transaction_id, t.client_id, t.account_id, t.amount_minor AS amount, t.currency,
    t.state, r.reason, t.provider, t.provider_order_id, t.created_at, t.succeeded_at
  FROM recharge_transaction t JOIN recharge_request r ON r.transaction_id = t.id
  WHERE t.refund_of IS NOT NULL;

CREATE TRIGGER "refunds_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."refunds"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
