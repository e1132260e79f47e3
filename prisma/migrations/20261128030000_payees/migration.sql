-- Where the money of accounts is delivered, for finance and for checks.

CREATE VIEW "report"."payees" AS
  SELECT account_id, provider, provider_account, from_account, to_account, currency, updated_at FROM payee;

CREATE TRIGGER "payees_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."payees"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
