-- A plan that waits for an approval is due when the approval expires, or when it is decided.
ALTER TABLE "recharge_plan" DROP CONSTRAINT "recharge_plan_never_forgotten";
ALTER TABLE "recharge_plan" ADD CONSTRAINT "recharge_plan_never_forgotten"
  CHECK ((due_at IS NOT NULL) = (status IN ('running', 'waiting')));
