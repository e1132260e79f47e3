-- Lists of rules by account, and by a status that few rules have. Without them a list reads all rules of the client. The
-- indexes by status hold no active rule, so a look at one does not touch them. There are few rules, so the indexes are
-- built in a moment.
CREATE INDEX "recharge_rule_client_id_account_id_id_idx" ON "recharge_rule"("client_id", "account_id", "id");
CREATE INDEX "recharge_rule_at_rest" ON "recharge_rule"("status", "id") WHERE status IN ('paused', 'expired');
CREATE INDEX "recharge_rule_at_rest_of_client" ON "recharge_rule"("client_id", "status", "id") WHERE status IN ('paused', 'expired');
