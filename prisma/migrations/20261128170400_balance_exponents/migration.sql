-- The decimals of the currency of each balance.

CREATE OR REPLACE VIEW "report"."account_balances" AS
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
    END AS balance,
    currency_exponent(chart.currency) AS currency_exponent
  FROM ledger_account chart;
