-- The accounts of a plan in the order of bytes, as the accounts of a pattern are one range of it. So a look whether a key
-- covers each account of a plan reads the first account beside those ranges, and not all lines.
--
-- On a live database: new plans wait while the index is built, some seconds per million lines. Lines never change.
CREATE INDEX "recharge_plan_line_accounts" ON "recharge_plan_line" ("plan_id", "account_id" COLLATE "C");
