-- Finance sorts open money by client. A case without a recharge has no client.
CREATE OR REPLACE VIEW "report"."cases" AS
  SELECT some_case.id AS case_id, some_case.transaction_id, some_case.kind, some_case.opened_at, some_case.closed_at,
    some_case.resolution, some_case.amount_minor AS amount, some_case.currency,
    CASE WHEN some_case.evidence IS NULL THEN some_case.detail
      ELSE some_case.detail || jsonb_build_object('given', some_case.evidence) END AS evidence,
    some_case.verb, some_case.actor, some_case.reason,
    some_case.account_id, some_case.client_id, client.name AS client_name,
    currency_exponent(some_case.currency) AS currency_exponent
  FROM reconciliation_case some_case LEFT JOIN client ON client.id = some_case.client_id;
