-- What finance needs beside the figures: the names of clients, the codes of failures, and the decimals of currencies.

-- The decimals of a currency in use (ISO 4217). Null for others.
CREATE FUNCTION "currency_exponent"("code" TEXT) RETURNS INT LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN code IN (
      'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF',
      'XPF') THEN 0
    WHEN code IN (
      'BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
    WHEN code IN (
      'AED', 'AFN', 'ALL', 'AMD', 'AOA', 'ARS', 'AUD', 'AWG', 'AZN', 'BAM', 'BBD', 'BDT', 'BMD', 'BND', 'BOB',
      'BRL', 'BSD', 'BTN', 'BWP', 'BYN', 'BZD', 'CAD', 'CDF', 'CHF', 'CNY', 'COP', 'CRC', 'CUP', 'CVE', 'CZK',
      'DKK', 'DOP', 'DZD', 'EGP', 'ERN', 'ETB', 'EUR', 'FJD', 'FKP', 'GBP', 'GEL', 'GHS', 'GIP', 'GMD', 'GTQ',
      'GYD', 'HKD', 'HNL', 'HTG', 'HUF', 'IDR', 'ILS', 'INR', 'IRR', 'JMD', 'KES', 'KGS', 'KHR', 'KPW', 'KYD',
      'KZT', 'LAK', 'LBP', 'LKR', 'LRD', 'LSL', 'MAD', 'MDL', 'MGA', 'MKD', 'MMK', 'MNT', 'MOP', 'MRU', 'MUR',
      'MVR', 'MWK', 'MXN', 'MYR', 'MZN', 'NAD', 'NGN', 'NIO', 'NOK', 'NPR', 'NZD', 'PAB', 'PEN', 'PGK', 'PHP',
      'PKR', 'PLN', 'QAR', 'RON', 'RSD', 'RUB', 'SAR', 'SBD', 'SCR', 'SDG', 'SEK', 'SGD', 'SHP', 'SLE', 'SOS',
      'SRD', 'SSP', 'STN', 'SVC', 'SYP', 'SZL', 'THB', 'TJS', 'TMT', 'TOP', 'TRY', 'TTD', 'TWD', 'TZS', 'UAH',
      'USD', 'UYU', 'UZS', 'VED', 'VES', 'WST', 'XCD', 'XCG', 'YER', 'ZAR', 'ZMW', 'ZWG') THEN 2 END
$$;

CREATE OR REPLACE VIEW "report"."recharges" AS
  SELECT t.id AS transaction_id, t.client_id, r.idempotency_key, r.fingerprint, t.account_id, t.kind, t.state,
    t.amount_minor AS amount, t.currency, t.payment_method, t.provider, t.provider_order_id, t.order_reference,
    t.due_at, t.created_at, t.submitted_at, t.succeeded_at, t.failed_at, t.canceled_at, t.updated_at,
    t.provider_account, t.funding,
    CASE t.kind
      WHEN 'deliver' THEN 'cloud'
      WHEN 'collect' THEN CASE WHEN t.payee IS NULL THEN 'wallet' ELSE 'cloud' END END AS destination,
    t.payee ->> 'from' AS source_account, t.payee ->> 'to' AS target_account,
    t.collected_by, t.refund_of, t.external_reference,
    waiting_reason(t.state, t.confirmation, t.next_step, t.waiting, t.action IS NOT NULL,
      ARRAY(SELECT c.kind FROM reconciliation_case c WHERE c.transaction_id = t.id AND c.closed_at IS NULL),
      EXISTS (
        SELECT FROM provider_breaker b
        WHERE b.provider = t.provider AND b.provider_account = t.provider_account
          AND b.operation = ANY (CASE WHEN t.kind IN ('refund', 'recall') THEN ARRAY['refund', 'refund_query']
            ELSE ARRAY['submit', 'query'] END)
          AND b.open_until > now() - interval '30 s')) AS waiting,
    c.name AS client_name, t.failure_code, currency_exponent(t.currency) AS currency_exponent
  FROM recharge_transaction t JOIN recharge_request r ON r.transaction_id = t.id
  LEFT JOIN client c ON c.id = t.client_id;

CREATE OR REPLACE VIEW "report"."refunds" AS
  SELECT t.id AS refund_id, t.refund_of AS transaction_id, t.client_id, t.account_id, t.amount_minor AS amount, t.currency,
    t.state, r.reason, t.provider, t.provider_order_id, t.created_at, t.succeeded_at,
    c.name AS client_name, t.failure_code, currency_exponent(t.currency) AS currency_exponent
  FROM recharge_transaction t JOIN recharge_request r ON r.transaction_id = t.id
  LEFT JOIN client c ON c.id = t.client_id
  WHERE t.refund_of IS NOT NULL;

CREATE OR REPLACE VIEW "report"."postings" AS
  SELECT j.id AS journal_id, j.transaction_id, j.slot, e.debit_account, e.credit_account,
    e.amount_minor AS amount, e.currency, e.at, currency_exponent(e.currency) AS currency_exponent
  FROM ledger_entry e JOIN ledger_journal j ON j.id = e.journal_id;

CREATE OR REPLACE VIEW "report"."wallets" AS
  SELECT account_id, currency,
    coalesce(sum(balance_minor) FILTER (WHERE part = 'available'), 0)::bigint AS available,
    coalesce(sum(balance_minor) FILTER (WHERE part = 'frozen'), 0)::bigint AS frozen,
    currency_exponent(currency) AS currency_exponent
  FROM (
    SELECT substring(name FROM '^wallet:(.*):(?:available|frozen)$') AS account_id,
      substring(name FROM '[a-z]+$') AS part, currency, balance_minor
    FROM ledger_account WHERE name LIKE 'wallet:%') wallet
  GROUP BY account_id, currency;

-- What moved through providers. Above zero it came in, below zero it went out.
CREATE VIEW "report"."settlements" AS
  SELECT t.succeeded_at AS settled_at, t.id AS transaction_id, t.kind, t.client_id, c.name AS client_name, t.account_id,
    CASE WHEN t.kind IN ('collect', 'recall') THEN t.amount_minor ELSE -t.amount_minor END AS amount,
    t.currency, currency_exponent(t.currency) AS currency_exponent, t.payment_method, t.provider, t.provider_account,
    t.provider_order_id, t.external_reference, t.order_reference, t.refund_of, t.collected_by, t.created_at
  FROM recharge_transaction t LEFT JOIN client c ON c.id = t.client_id
  WHERE t.succeeded_at IS NOT NULL;

CREATE TRIGGER "settlements_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."settlements"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
