-- What the recharges under a day's ceiling add up to, kept beside them: to sum them up cost each such request a walk over
-- the client's day, and two processes that summed at once both found room. One row per client and currency is the lock.

-- AlterTable
ALTER TABLE "recharge_transaction" ADD COLUMN "day_step" INTEGER;

-- CreateTable
CREATE TABLE "day_counter" (
    "client_id" UUID NOT NULL,
    "currency" TEXT NOT NULL,
    "amounts" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "day_counter_pkey" PRIMARY KEY ("client_id","currency")
);

-- From here on by hand.

ALTER TABLE "day_counter" SET (fillfactor = 50);

-- A step is a quarter of an hour, counted from 1970. An amount counts for a day and to the end of its step.
CREATE FUNCTION "day_step"(at timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN floor(extract(epoch FROM at) / 900)::integer;

-- The sum of the amounts (`{"<step>": <minor units>}`) that count in the day that ends with the step `last`.
CREATE FUNCTION "day_sum"(amounts jsonb, last integer) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT coalesce(sum(value::numeric), 0) FROM jsonb_each_text(amounts) WHERE key::integer >= last - 96);

-- Amounts added step by step, without those that no longer count.
CREATE FUNCTION "day_added"(amounts jsonb, more jsonb, last integer) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (SELECT coalesce(jsonb_object_agg(key, sum), '{}') FROM (
    SELECT key, sum(value::numeric) AS sum
    FROM (SELECT * FROM jsonb_each_text(amounts) UNION ALL SELECT * FROM jsonb_each_text(more)) AS amount
    WHERE key::integer >= last - 96
    GROUP BY key) AS step WHERE sum <> 0);

-- Recharges of the last day made with a key that has a day's ceiling in their currency.
UPDATE recharge_transaction t SET day_step = day_step(t.created_at)
  FROM api_key k
  WHERE k.client_id = t.client_id AND k.revoked_at IS NULL AND k.ceilings -> t.currency ->> 'dayMinor' IS NOT NULL
    AND t.created_at > now() - interval '24 hours';
INSERT INTO day_counter (client_id, currency, amounts)
  SELECT client_id, currency, jsonb_object_agg(day_step::text, sum) FROM (
    SELECT client_id, currency, day_step, sum(amount_minor) AS sum FROM recharge_transaction
    WHERE day_step IS NOT NULL AND state NOT IN ('FAILED', 'CANCELED') GROUP BY 1, 2, 3) AS step
  GROUP BY 1, 2;
