-- What an unfinished recharge waits for, for finance and for checks. The database's own copy of
-- packages/domain/src/core/waiting.ts; a test holds the two equal.

CREATE FUNCTION "waiting_reason"(
  state text, confirmation text, next_step text, waiting jsonb, has_action boolean, open_cases text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE
    WHEN state IN ('SUCCEEDED', 'FAILED', 'CANCELED') THEN NULL
    WHEN NOT open_cases
      <@ ARRAY['unprocessable', 'unread_event', 'unprocessable_event', 'event_changed', 'unknown_order'] THEN 'PERSON'
    WHEN waiting IS NOT NULL THEN waiting ->> 'reason'
    WHEN state = 'CREATED' OR next_step = 'submit' THEN 'QUEUE'
    WHEN state = 'SUBMITTED' OR confirmation IS DISTINCT FROM 'acknowledged' THEN 'ANSWER'
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
    waiting_reason(t.state, t.confirmation, t.next_step, t.waiting, t.action IS NOT NULL, ARRAY(
      SELECT c.kind FROM reconciliation_case c WHERE c.transaction_id = t.id AND c.closed_at IS NULL)) AS waiting
  FROM recharge_transaction t JOIN recharge_request r ON r.transaction_id = t.id;
