-- What stands beside the ledger as evidence is changed as work goes on, and never taken away.

CREATE TRIGGER "provider_call_kept" BEFORE DELETE OR TRUNCATE ON "provider_call"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "webhook_event_kept" BEFORE DELETE OR TRUNCATE ON "webhook_event"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "reconciliation_case_kept" BEFORE DELETE OR TRUNCATE ON "reconciliation_case"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "ledger_account_kept" BEFORE DELETE OR TRUNCATE ON "ledger_account"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- Postgres writes through a view of one table, whoever owns both; a report is only read.

CREATE TRIGGER "calls_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."calls"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "cases_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."cases"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "postings_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."postings"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "provider_calls_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."provider_calls"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "recharges_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."recharges"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "security_events_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."security_events"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "transitions_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."transitions"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "wallets_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."wallets"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
CREATE TRIGGER "webhooks_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."webhooks"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
