-- Rules and their decisions, for finance and for checks.

CREATE VIEW "report"."rules" AS
  SELECT id AS rule_id, account_id, currency, status, paused_because, created_at FROM recharge_rule;

CREATE VIEW "report"."rule_decisions" AS
  SELECT rule_id, seq, at, balance_minor AS balance, decided, because, transaction_id FROM rule_decision;

CREATE TRIGGER "rules_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."rules"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "rule_decisions_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."rule_decisions"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
