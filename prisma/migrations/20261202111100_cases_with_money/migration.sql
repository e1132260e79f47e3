-- The cases that have, or had, money in suspense. They are few, so the one that names an order is found among them.
CREATE INDEX "reconciliation_case_with_money" ON "reconciliation_case" (id) WHERE suspended <> '[]';
