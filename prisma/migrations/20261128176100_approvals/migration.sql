-- Approvals by a second person. A recharge that waits for one stays CREATED with the next step `approve`, and only an
-- approval whose hash still fits lets it go on.
--
-- On a live database: columns with a constant default change no row. The check on the next step is validated without a
-- lock against writes. The triggers lock recharge_transaction against writes for a moment.

ALTER TABLE "api_key" ADD COLUMN "approval_above" JSONB NOT NULL DEFAULT '{}';
ALTER TABLE "payee" ADD COLUMN "approval_above" JSONB NOT NULL DEFAULT '{}';

ALTER TABLE "recharge_transaction"
  DROP CONSTRAINT "recharge_transaction_next_step",
  ADD CONSTRAINT "recharge_transaction_next_step" CHECK (next_step IN ('submit', 'ask', 'cancel', 'approve')) NOT VALID;
ALTER TABLE "recharge_transaction" VALIDATE CONSTRAINT "recharge_transaction_next_step";

CREATE TABLE "approval" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "requested_by" TEXT NOT NULL,
    "client_id" UUID,
    "status" TEXT NOT NULL DEFAULT 'pending',
    "reason" TEXT,
    "decided_by" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "decided_at" TIMESTAMPTZ(3),

    CONSTRAINT "approval_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "approval_status" CHECK (status IN ('pending', 'approved', 'refused', 'expired')),
    CONSTRAINT "approval_decided" CHECK ((status = 'pending') = (decided_at IS NULL))
);

CREATE INDEX "approval_kind_subject_idx" ON "approval"("kind", "subject");
CREATE INDEX "approval_created_at_id_idx" ON "approval"("created_at", "id");
CREATE UNIQUE INDEX "approval_one_pending" ON "approval"("kind", "subject") WHERE status = 'pending';

-- What was asked for stays as it was, and a decision stands.
CREATE FUNCTION "refuse_other_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'approval % cannot change', OLD.id
    USING ERRCODE = 'check_violation', CONSTRAINT = 'approval_same_approval';
END $$;

CREATE TRIGGER "approval_same_approval" BEFORE UPDATE ON "approval"
  FOR EACH ROW WHEN (
    OLD.status <> 'pending'
    OR (OLD.id, OLD.kind, OLD.subject, OLD.hash, OLD.requested_by, OLD.client_id)
      IS DISTINCT FROM (NEW.id, NEW.kind, NEW.subject, NEW.hash, NEW.requested_by, NEW.client_id))
  EXECUTE FUNCTION "refuse_other_approval"();

-- The one place that inserts. A subject has one pending approval of a kind, and asking again changes nothing.
CREATE FUNCTION "request_approval"(
  "new_id" UUID, "of_kind" TEXT, "of_subject" TEXT, "payload_hash" TEXT, "by" TEXT, "of_client" UUID,
  "until" TIMESTAMPTZ) RETURNS void LANGUAGE sql VOLATILE AS $$
  INSERT INTO approval (id, kind, subject, hash, requested_by, client_id, expires_at)
  VALUES (new_id, of_kind, of_subject, payload_hash, by, of_client, until)
  ON CONFLICT DO NOTHING
$$;

-- What an approval of a recharge is bound to. The target is the payee of the account as it is now, so a payee that
-- changes voids the approval.
CREATE FUNCTION "approval_hash"("recharge" "recharge_transaction") RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(jsonb_build_array(
      recharge.client_id, recharge.account_id, recharge.kind, recharge.payee,
      CASE WHEN recharge.payee IS NOT NULL THEN (
        SELECT jsonb_build_array(payee.provider, payee.provider_account, payee.from_account, payee.to_account)
        FROM payee
        WHERE payee.account_id = recharge.account_id) END,
      recharge.amount_minor::text, recharge.currency, recharge.payment_method, request.idempotency_key)::text,
    'UTF8')), 'hex')
  FROM recharge_request request
  WHERE request.transaction_id = recharge.id
$$;

CREATE FUNCTION "ask_for_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM request_approval(
    gen_random_uuid(), 'recharge', NEW.id::text, approval_hash(NEW), NEW.client_id::text, NEW.client_id, NEW.due_at);
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_transaction_asks_for_approval" AFTER INSERT ON "recharge_transaction"
  FOR EACH ROW WHEN (NEW.next_step = 'approve') EXECUTE FUNCTION "ask_for_approval"();

-- A recharge leaves the step `approve` by an approval that fits, or by its end. Its end answers the approval.
CREATE FUNCTION "refuse_unapproved"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state = 'CANCELED' THEN
    UPDATE approval
    SET status = 'refused', reason = 'the recharge was canceled', decided_at = now()
    WHERE kind = 'recharge' AND subject = NEW.id::text AND status = 'pending';
  ELSIF NEW.state <> 'CREATED' OR NOT EXISTS (
      SELECT FROM approval
      WHERE kind = 'recharge' AND subject = NEW.id::text AND status = 'approved') THEN
    RAISE EXCEPTION 'recharge % is not approved', NEW.id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'recharge_transaction_approved';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "recharge_transaction_approved" AFTER UPDATE ON "recharge_transaction"
  FOR EACH ROW WHEN (OLD.next_step = 'approve' AND NEW.next_step IS DISTINCT FROM 'approve')
  EXECUTE FUNCTION "refuse_unapproved"();

CREATE VIEW "report"."approvals" AS
  SELECT id AS approval_id, kind, subject, hash, requested_by, decided_by, status, created_at, decided_at,
    reason, expires_at
  FROM approval;

CREATE TRIGGER "approvals_read_only" INSTEAD OF INSERT OR UPDATE OR DELETE ON "report"."approvals"
  FOR EACH ROW EXECUTE FUNCTION "refuse_change"();
