-- Events that are posted to the addresses of clients. Triggers stage an event in the statement that causes it, for each
-- receiver that listens.
--
-- On a live database: the new column is nullable, so no row is rewritten. The triggers lock three tables against writes
-- for a moment.

ALTER TABLE "recharge_transaction" ADD COLUMN "callback_url" TEXT;

CREATE TABLE "callback_endpoint" (
    "id" UUID NOT NULL,
    "client_id" UUID NOT NULL,
    "url" TEXT NOT NULL,
    "events" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "accounts" TEXT[],
    "status" TEXT NOT NULL DEFAULT 'active',
    "disabled_because" TEXT,
    "disabled_at" TIMESTAMPTZ(3),
    "secret_sealed" BYTEA NOT NULL,
    "previous_secret_sealed" BYTEA,
    "previous_valid_until" TIMESTAMPTZ(3),
    "idempotency_key" TEXT,
    "rotation_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "callback_endpoint_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "callback_endpoint_client_id_idempotency_key_key"
  ON "callback_endpoint"("client_id", "idempotency_key");
CREATE INDEX "callback_endpoint_client_id_id_idx" ON "callback_endpoint"("client_id", "id");
CREATE INDEX "callback_endpoint_active" ON "callback_endpoint"("client_id") WHERE status = 'active';

ALTER TABLE "callback_endpoint" ADD CONSTRAINT "callback_endpoint_status"
  CHECK (status IN ('active', 'disabled', 'deleted'));

CREATE TABLE "callback_secret" (
    "client_id" UUID NOT NULL,
    "secret_sealed" BYTEA NOT NULL,
    "previous_secret_sealed" BYTEA,
    "previous_valid_until" TIMESTAMPTZ(3),
    "rotation_key" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "callback_secret_pkey" PRIMARY KEY ("client_id")
);

CREATE TABLE "callback_event" (
    "id" UUID NOT NULL,
    "seq" BIGSERIAL NOT NULL,
    "client_id" UUID NOT NULL,
    "subject" UUID NOT NULL,
    "transaction_id" UUID,
    "type" TEXT NOT NULL,
    "version" BIGINT NOT NULL,
    "snapshot" JSONB NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "callback_event_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "callback_delivery" (
    "id" UUID NOT NULL,
    "event_id" UUID NOT NULL,
    "seq" BIGINT NOT NULL,
    "client_id" UUID NOT NULL,
    "endpoint_id" UUID,
    "lane" UUID NOT NULL,
    "subject" UUID NOT NULL,
    "transaction_id" UUID,
    "account_id" TEXT,
    "type" TEXT NOT NULL,
    "url" TEXT NOT NULL,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "tries" INTEGER NOT NULL DEFAULT 0,
    "attempts" JSONB NOT NULL DEFAULT '[]',
    "due_at" TIMESTAMPTZ(3) DEFAULT CURRENT_TIMESTAMP,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "callback_delivery_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "callback_delivery_client_id_id_idx" ON "callback_delivery"("client_id", "id");
CREATE INDEX "callback_delivery_transaction_id_id_idx" ON "callback_delivery"("transaction_id", "id");
CREATE INDEX "callback_delivery_endpoint_id_id_idx" ON "callback_delivery"("endpoint_id", "id");
CREATE INDEX "callback_delivery_due" ON "callback_delivery"("lane", "due_at") WHERE due_at IS NOT NULL;
CREATE INDEX "callback_delivery_in_order" ON "callback_delivery"("lane", "subject", "seq") WHERE due_at IS NOT NULL;

ALTER TABLE "callback_delivery" ADD CONSTRAINT "callback_delivery_status"
  CHECK (status IN ('pending', 'delivered', 'failed', 'canceled'));
ALTER TABLE "callback_delivery" ADD CONSTRAINT "callback_delivery_never_forgotten"
  CHECK ((status = 'pending') = (due_at IS NOT NULL));
ALTER TABLE "callback_delivery" ADD CONSTRAINT "callback_delivery_event_id_fkey"
  FOREIGN KEY ("event_id") REFERENCES "callback_event"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- A lane is one receiver. It is written by the workers only, never by the statements that stage events, so no recharge
-- waits for another at its receiver.
CREATE TABLE "callback_lane" (
    "id" UUID NOT NULL,
    "hinted_until" TIMESTAMPTZ(3) NOT NULL,
    "is_slow" BOOLEAN NOT NULL DEFAULT false,
    "failing_since" TIMESTAMPTZ(3),

    CONSTRAINT "callback_lane_pkey" PRIMARY KEY ("id")
);

-- A UUID of version 7.
CREATE FUNCTION "new_callback_id"() RETURNS UUID LANGUAGE sql VOLATILE AS $$
  SELECT encode(
    set_bit(set_bit(
      overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6),
      52, 1), 53, 1), 'hex')::uuid
$$;

-- The receivers of an event: the endpoints of the client that hear such events of the account, and the `callbackUrl` of
-- the recharge. An event of no account is heard where all accounts are. Those that `callbackUrl` names at one host share a lane per client.
CREATE FUNCTION "callback_receivers"("of_client" UUID, "of_account" TEXT, "of_transaction" UUID, "of_type" TEXT)
  RETURNS TABLE ("endpoint_id" UUID, "lane" UUID, "url" TEXT) LANGUAGE sql STABLE AS $$
  SELECT endpoint.id, endpoint.id, endpoint.url
  FROM callback_endpoint endpoint
  WHERE endpoint.client_id = of_client AND endpoint.status = 'active'
    AND (endpoint.events = '{}' OR of_type = ANY(endpoint.events))
    AND coalesce(of_account, '%') LIKE ANY(endpoint.accounts)
  UNION ALL
  SELECT NULL, md5(of_client || ' ' || substring(named.url FROM '^[a-z]+://[^/?#]+'))::uuid, named.url
  FROM (
    SELECT coalesce(recharge.callback_url, whole.callback_url) AS url
    FROM recharge_transaction recharge
    LEFT JOIN recharge_transaction whole ON whole.id = recharge.collected_by
    WHERE recharge.id = of_transaction) named
  WHERE named.url IS NOT NULL
$$;

-- Stages an event for those who listen, and nothing where nobody does. Events of one subject are sent in their order. The snapshot is {"data": <the body>}, or the rows
-- that the body is made from: {"recharge": ..., "delivery": ..., "openCases": ..., "refunded": ...} or
-- {"case": ..., "recharge": ...}.
CREATE FUNCTION "stage_callback"(
    "of_client" UUID, "of_account" TEXT, "subject" UUID, "of_transaction" UUID, "of_type" TEXT, "version" BIGINT,
    "snapshot" JSONB)
  RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  staged callback_event;
BEGIN
  IF NOT EXISTS (SELECT FROM callback_receivers(of_client, of_account, of_transaction, of_type)) THEN
    RETURN;
  END IF;
  INSERT INTO callback_event (id, client_id, subject, transaction_id, type, version, snapshot)
    VALUES (new_callback_id(), of_client, stage_callback.subject, of_transaction, of_type, stage_callback.version,
      stage_callback.snapshot)
    RETURNING * INTO staged;
  INSERT INTO callback_delivery (
      id, event_id, seq, client_id, endpoint_id, lane, subject, transaction_id, account_id, type, url)
    SELECT new_callback_id(), staged.id, staged.seq, of_client, receiver.endpoint_id, receiver.lane, staged.subject,
      of_transaction, of_account, of_type, receiver.url
    FROM callback_receivers(of_client, of_account, of_transaction, of_type) receiver;
END $$;

CREATE FUNCTION "stage_recharge_callback"("recharge" "recharge_transaction", "of_type" TEXT)
  RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  delivery recharge_transaction;
BEGIN
  SELECT * INTO delivery FROM recharge_transaction WHERE collected_by = recharge.id;
  PERFORM stage_callback(recharge.client_id, recharge.account_id, recharge.id, recharge.id, of_type,
    recharge.version + coalesce(delivery.version, 0),
    jsonb_build_object(
      'recharge', to_jsonb(recharge),
      'delivery', CASE WHEN delivery.id IS NOT NULL THEN to_jsonb(delivery) END,
      'openCases', (
        SELECT coalesce(jsonb_agg(open_case.kind ORDER BY open_case.kind), '[]')
        FROM reconciliation_case open_case
        WHERE open_case.transaction_id = recharge.id AND open_case.closed_at IS NULL),
      'refunded', (
        SELECT coalesce(sum(refund.amount_minor), 0)::text
        FROM recharge_transaction refund
        WHERE refund.refund_of = recharge.id AND refund.funding <> 'suspense'
          AND refund.state NOT IN ('FAILED', 'CANCELED') AND recharge.state = 'SUCCEEDED')));
END $$;

-- The event of a move. A collect whose money goes on is in progress until its delivery is final, and the delivery has
-- no events of its own.
CREATE FUNCTION "callback_type"("recharge" "recharge_transaction", "from_state" TEXT, "to_state" TEXT)
  RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT CASE
    WHEN recharge.kind IN ('refund', 'recall') THEN
      CASE WHEN to_state = 'SUCCEEDED' THEN 'refund.succeeded'
        WHEN to_state IN ('FAILED', 'CANCELED') THEN 'refund.failed' END
    WHEN recharge.collected_by IS NOT NULL THEN
      CASE WHEN to_state = 'SUCCEEDED' THEN 'recharge.succeeded'
        WHEN to_state IN ('FAILED', 'CANCELED') THEN 'recharge.failed' END
    WHEN from_state = 'CREATED' AND to_state = 'SUBMITTED' THEN 'recharge.in_progress'
    WHEN to_state = 'SUCCEEDED' AND recharge.payee IS NOT NULL AND recharge.kind = 'collect' AND EXISTS (
      SELECT FROM recharge_transaction delivery WHERE delivery.collected_by = recharge.id) THEN NULL
    WHEN to_state = 'SUCCEEDED' THEN 'recharge.succeeded'
    WHEN to_state = 'FAILED' THEN 'recharge.failed'
    WHEN to_state = 'CANCELED' THEN 'recharge.canceled'
  END
$$;

CREATE FUNCTION "stage_new_recharges"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM new_rows
    WHERE callback_url IS NOT NULL OR EXISTS (
      SELECT FROM callback_endpoint endpoint
      WHERE endpoint.client_id = new_rows.client_id AND endpoint.status = 'active'))
  THEN
    PERFORM stage_recharge_callback(recharge, 'recharge.accepted')
    FROM new_rows
    JOIN recharge_transaction recharge ON recharge.id = new_rows.id
    WHERE new_rows.kind IN ('collect', 'deliver') AND new_rows.collected_by IS NULL;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION "stage_moves"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM new_rows
    JOIN recharge_transaction recharge ON recharge.id = new_rows.transaction_id
    WHERE new_rows.verdict = 'moved' AND (
      recharge.callback_url IS NOT NULL
      OR EXISTS (
        SELECT FROM recharge_transaction whole
        WHERE whole.id = recharge.collected_by AND whole.callback_url IS NOT NULL)
      OR EXISTS (
        SELECT FROM callback_endpoint endpoint
        WHERE endpoint.client_id = recharge.client_id AND endpoint.status = 'active')))
  THEN
    PERFORM stage_recharge_callback(whole, callback_type(recharge, new_rows.from_state, new_rows.to_state))
    FROM new_rows
    JOIN recharge_transaction recharge ON recharge.id = new_rows.transaction_id
    JOIN recharge_transaction whole ON whole.id = coalesce(recharge.collected_by, recharge.id)
    WHERE new_rows.verdict = 'moved' AND new_rows.from_state <> new_rows.to_state
      AND callback_type(recharge, new_rows.from_state, new_rows.to_state) IS NOT NULL;
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION "stage_case"() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  recharge recharge_transaction;
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.closed_at IS NOT NULL OR NEW.closed_at IS NULL) THEN
    RETURN NULL;
  END IF;
  SELECT * INTO recharge FROM recharge_transaction WHERE id = NEW.transaction_id;
  PERFORM stage_callback(NEW.client_id, NEW.account_id, coalesce(NEW.transaction_id, NEW.id), NEW.transaction_id,
    CASE TG_OP WHEN 'INSERT' THEN 'case.opened' ELSE 'case.closed' END,
    coalesce(recharge.version, 0)::bigint,
    jsonb_build_object('case', to_jsonb(NEW), 'recharge', CASE WHEN recharge.id IS NOT NULL THEN to_jsonb(recharge) END));
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_transaction_callbacks" AFTER INSERT ON "recharge_transaction"
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "stage_new_recharges"();
CREATE TRIGGER "transition_callbacks" AFTER INSERT ON "transition"
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION "stage_moves"();
CREATE TRIGGER "reconciliation_case_callbacks" AFTER INSERT OR UPDATE ON "reconciliation_case"
  FOR EACH ROW WHEN (NEW.client_id IS NOT NULL) EXECUTE FUNCTION "stage_case"();

CREATE VIEW "report"."callbacks" AS
  SELECT id AS delivery_id, event_id, transaction_id, type, status, jsonb_array_length(attempts) AS attempts,
    due_at AS next_attempt_at
  FROM callback_delivery;

CREATE TRIGGER "callbacks_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."callbacks"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
