-- The account of ours at the provider that collects a line of a plan. NULL: the default one, as for all older lines. A
-- column without a default rewrites no row, and the view gets a column at its end: safe on a live database.
ALTER TABLE "recharge_plan_line" ADD COLUMN "provider_account" TEXT;

CREATE OR REPLACE VIEW "report"."plan_lines" AS
  SELECT line.plan_id, line.line, recharge.id AS transaction_id,
    CASE
      WHEN recharge.id IS NOT NULL
        THEN whole_status(recharge.kind, recharge.state, recharge.payee IS NOT NULL, delivery.state)
      WHEN refusal.place IS NOT NULL THEN 'failed'
      ELSE 'not_started' END AS status,
    line.account_id, line.amount_minor AS amount, plan.currency, line.payment_method, line.destination,
    line.order_reference, coalesce(recharge.failure_code, delivery.failure_code, refusal.code) AS failure_code,
    line.provider_account
  FROM recharge_plan_line line
  JOIN recharge_plan plan ON plan.id = line.plan_id
  LEFT JOIN recharge_request request
    ON request.client_id = plan.client_id AND request.idempotency_key = 'plan ' || plan.id || ' ' || line.line
  LEFT JOIN recharge_transaction recharge ON recharge.id = request.transaction_id
  LEFT JOIN recharge_transaction delivery ON delivery.collected_by = recharge.id
  LEFT JOIN recharge_plan_refusal refusal ON refusal.plan_id = line.plan_id AND refusal.place = line.place;
