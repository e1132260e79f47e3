-- The open circuit breakers of the workers, as they last told. A row is written when a breaker opens and deleted when it
-- closes, so an outage writes a row per provider and operation, and none per recharge. The table is new, the view and
-- the functions replace none that a process uses: safe on a live database. The index holds open cases only.
CREATE TABLE "provider_breaker" (
    "provider" TEXT NOT NULL,
    "provider_account" TEXT NOT NULL,
    "operation" TEXT NOT NULL,
    "open_until" TIMESTAMPTZ(3) NOT NULL,
    "opened_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "provider_breaker_pkey" PRIMARY KEY ("provider","provider_account","operation")
);

CREATE INDEX "reconciliation_case_open_of_recharge" ON "reconciliation_case" (transaction_id, kind)
  WHERE closed_at IS NULL AND transaction_id IS NOT NULL;

CREATE FUNCTION "waiting_reason"(
  state text, confirmation text, next_step text, waiting jsonb, has_action boolean, open_cases text[], is_down boolean)
  RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN state IN ('SUCCEEDED', 'FAILED', 'CANCELED') THEN NULL
    WHEN NOT open_cases
      <@ ARRAY['unprocessable', 'unread_event', 'unprocessable_event', 'event_changed', 'unknown_order'] THEN 'PERSON'
    WHEN waiting IS NOT NULL THEN waiting ->> 'reason'
    WHEN state = 'CREATED' OR next_step = 'submit' THEN CASE WHEN is_down THEN 'PROVIDER_DOWN' ELSE 'QUEUE' END
    WHEN state = 'SUBMITTED' THEN 'ANSWER'
    WHEN confirmation IS DISTINCT FROM 'acknowledged' THEN CASE WHEN is_down THEN 'PROVIDER_DOWN' ELSE 'ANSWER' END
    WHEN has_action THEN 'PAYER'
    ELSE 'PROVIDER' END;

CREATE OR REPLACE VIEW "report"."recharges" AS
  SELECT t.id AS transaction_id, t.client_id, r.idempotency_key, r.fingerprint, t.account_id, t.kind, t.state,
    t.amount_minor AS amount, t.currency, t.payment_method, t.provider, t.provider_order_id, t.order_reference,
    t.due_at, t.created_at, t.submitted_at, t.succeeded_at, t.failed_at, t.canceled_at, t.updated_at,
    t.provider_account, t.funding,
    CASE t.kind
      WHEN 'deliver' THEN 'cloud'
      WHEN 'collect' THEN CASE WHEN t.payee IS NULL THEN 'wallet' ELSE 'cloud' END END AS destination,
    t.payee ->> 'from' AS source_account, t.payee ->> 'to' AS target_account,
    t.collected_by, t.refund_of, t.external_reference,
    waiting_reason(t.state, t.confirmation, t.next_step, t.waiting, t.action IS NOT NULL,
      ARRAY(SELECT c.kind FROM reconciliation_case c WHERE c.transaction_id = t.id AND c.closed_at IS NULL),
      EXISTS (
        SELECT FROM provider_breaker b
        WHERE b.provider = t.provider AND b.provider_account = t.provider_account
          AND b.operation = ANY (CASE WHEN t.kind IN ('refund', 'recall') THEN ARRAY['refund', 'refund_query']
            ELSE ARRAY['submit', 'query'] END)
          AND b.open_until > now() - interval '30 s')) AS waiting
  FROM recharge_transaction t JOIN recharge_request r ON r.transaction_id = t.id;

DROP FUNCTION "waiting_reason"(text, text, text, jsonb, boolean, text[]);
