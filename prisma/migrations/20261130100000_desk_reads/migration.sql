-- The cases of one person are read from their own rows of the desk, however many open cases there are.
CREATE INDEX "case_desk_assignee_case_id_idx" ON "case_desk"("assignee", "case_id");

-- The open cases of one kind, newest first. It replaces the index that had no order.
CREATE INDEX "reconciliation_case_open_kind_ids" ON "reconciliation_case" (kind, id) WHERE closed_at IS NULL;
DROP INDEX "reconciliation_case_open_by_kind";

-- The closed cases, newest first, also where nearly all are open.
CREATE INDEX "reconciliation_case_closed_ids" ON "reconciliation_case" (id) WHERE closed_at IS NOT NULL;

-- Who works on a case, and until when: null where nobody has set it. New columns come last, as readers expect.
CREATE OR REPLACE VIEW "report"."cases" AS
  SELECT some_case.id AS case_id, some_case.transaction_id, some_case.kind, some_case.opened_at, some_case.closed_at,
    some_case.resolution, some_case.amount_minor AS amount, some_case.currency,
    CASE WHEN some_case.evidence IS NULL THEN some_case.detail
      ELSE some_case.detail || jsonb_build_object('given', some_case.evidence) END AS evidence,
    some_case.verb, some_case.actor, some_case.reason,
    some_case.account_id, some_case.client_id, client.name AS client_name,
    currency_exponent(some_case.currency) AS currency_exponent,
    desk.assignee, desk.due_at
  FROM reconciliation_case some_case
  LEFT JOIN client ON client.id = some_case.client_id
  LEFT JOIN case_desk desk ON desk.case_id = some_case.id;
