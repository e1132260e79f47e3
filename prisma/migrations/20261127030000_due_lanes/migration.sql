-- A sweep takes due rows for one queue at a time: one provider and one next step. With due_at alone, the backlog of a
-- provider that is down would be read again by every sweep for the others. Rows that are final are in no lane, so the
-- index holds unfinished recharges only. Building it reads the table once, and recharges wait for that long: some
-- seconds where the table has ten million rows.
CREATE INDEX "recharge_transaction_due_lane" ON "recharge_transaction" (provider, next_step, due_at)
  WHERE due_at IS NOT NULL;

-- Its work is done by the other one, and each change of a due time would have to be written into both.
DROP INDEX "recharge_transaction_due";
