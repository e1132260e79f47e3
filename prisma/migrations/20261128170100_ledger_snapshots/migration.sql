-- Balances of the accounts that keep no running balance: house, clearing and suspense accounts. A balance is the newest
-- snapshot and what came after the newest snapshot of all.

CREATE TABLE "ledger_snapshot" (
    "account" TEXT NOT NULL,
    "currency" TEXT NOT NULL,
    "entry_id" BIGINT NOT NULL,
    "balance" BIGINT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "ledger_snapshot_pkey" PRIMARY KEY ("account", "currency", "entry_id")
);

CREATE INDEX "ledger_snapshot_entry_id_idx" ON "ledger_snapshot"("entry_id");

CREATE TRIGGER "ledger_snapshot_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "ledger_snapshot"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

CREATE VIEW "report"."account_balances" AS
  WITH taken AS MATERIALIZED (SELECT coalesce(max(entry_id), 0) AS entry_id FROM ledger_snapshot),
  later AS MATERIALIZED (
    SELECT side.account, entry.currency, sum(side.delta) AS delta
    FROM ledger_entry entry,
      LATERAL (VALUES (entry.debit_account, -entry.amount_minor), (entry.credit_account, entry.amount_minor))
        AS side(account, delta)
    WHERE entry.id > (SELECT entry_id FROM taken) AND side.account NOT LIKE 'wallet:%'
    GROUP BY 1, 2)
  SELECT chart.name AS account, chart.currency,
    CASE WHEN chart.name LIKE 'wallet:%' THEN coalesce(chart.balance_minor, 0)
      ELSE (coalesce(
          (SELECT snapshot.balance FROM ledger_snapshot snapshot
            WHERE snapshot.account = chart.name AND snapshot.currency = chart.currency
            ORDER BY snapshot.entry_id DESC LIMIT 1), 0)
        + coalesce(
          (SELECT later.delta FROM later
            WHERE later.account = chart.name AND later.currency = chart.currency), 0))::bigint
    END AS balance
  FROM ledger_account chart;

CREATE TRIGGER "account_balances_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."account_balances"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
