-- A version of a rule that charges more, oftener or elsewhere waits for a second person above the approval limit. It waits
-- as a row of rule_proposal, whose id is also the id of its approval. Until it is approved the rule keeps its terms.
--
-- On a live database: the table is new, and columns with a constant default rewrite no row. The check is validated without
-- a lock against writes. The triggers lock rule_consent against writes for a moment.

ALTER TABLE "recharge_rule" ADD COLUMN "proposal_id" UUID;
-- False: nobody has agreed to the terms of the row for good. They are those of a new rule that needs an approval.
ALTER TABLE "recharge_rule" ADD COLUMN "in_force" BOOLEAN NOT NULL DEFAULT true;
ALTER TABLE "rule_consent" ADD COLUMN "approval_id" UUID;

-- A rule that would act and waits for its approval is due when the approval expires.
ALTER TABLE "recharge_rule"
  DROP CONSTRAINT "recharge_rule_never_forgotten",
  ADD CONSTRAINT "recharge_rule_never_forgotten" CHECK (
    (status = 'active' OR paused_because IS NOT DISTINCT FROM 'APPROVAL') = (due_at IS NOT NULL)) NOT VALID,
  ADD CONSTRAINT "recharge_rule_awaits_approval" CHECK (
    paused_because IS DISTINCT FROM 'APPROVAL' OR proposal_id IS NOT NULL) NOT VALID,
  ADD CONSTRAINT "recharge_rule_acts_in_force" CHECK (status <> 'active' OR in_force) NOT VALID;
ALTER TABLE "recharge_rule" VALIDATE CONSTRAINT "recharge_rule_never_forgotten";
ALTER TABLE "recharge_rule" VALIDATE CONSTRAINT "recharge_rule_awaits_approval";
ALTER TABLE "recharge_rule" VALIDATE CONSTRAINT "recharge_rule_acts_in_force";

CREATE TABLE "rule_proposal" (
    "id" UUID NOT NULL,
    "rule_id" UUID NOT NULL,
    "terms" JSONB NOT NULL,
    "terms_hash" TEXT NOT NULL,
    "recharge" JSONB NOT NULL,
    "target" TEXT,
    "key_id" TEXT NOT NULL,
    "actor" TEXT NOT NULL,
    "requested_by" TEXT NOT NULL,
    "client_id" UUID,
    "widens" JSONB NOT NULL,
    "starts" BOOLEAN NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "rule_proposal_pkey" PRIMARY KEY ("id")
);

CREATE TRIGGER "rule_proposal_append_only" BEFORE UPDATE OR DELETE OR TRUNCATE ON "rule_proposal"
  FOR EACH STATEMENT EXECUTE FUNCTION "refuse_change"();

-- What the approval of a rule is bound to. The payee is that of the account as it is now, so a payee that changes voids the
-- approval.
CREATE FUNCTION "rule_approval_hash"("proposal" "rule_proposal") RETURNS TEXT LANGUAGE sql STABLE AS $$
  SELECT encode(sha256(convert_to(jsonb_build_array(
      proposal.id, rule.id, rule.client_id, rule.account_id, rule.currency, rule.watch,
      proposal.terms, proposal.recharge, proposal.key_id, proposal.target,
      CASE WHEN proposal.target IS NOT NULL THEN (
        SELECT jsonb_build_array(payee.provider, payee.provider_account, payee.from_account, payee.to_account)
        FROM payee
        WHERE payee.account_id = rule.account_id AND payee.currency = rule.currency) END)::text,
    'UTF8')), 'hex')
  FROM recharge_rule rule
  WHERE rule.id = proposal.rule_id
$$;

-- An approval that was not asked for would let the proposal wait for ever.
CREATE FUNCTION "ask_for_rule_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM request_approval(
    NEW.id, 'rule', NEW.rule_id::text, rule_approval_hash(NEW), NEW.requested_by, NEW.client_id, NEW.expires_at);
  IF NOT EXISTS (SELECT FROM approval WHERE id = NEW.id) THEN
    RAISE EXCEPTION 'rule % has another approval that is pending', NEW.rule_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_proposal_one_pending';
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER "rule_proposal_asks_for_approval" AFTER INSERT ON "rule_proposal"
  FOR EACH ROW EXECUTE FUNCTION "ask_for_rule_approval"();

-- A version that names an approval becomes the rule's own only when that approval was given for this rule.
CREATE FUNCTION "refuse_unapproved_consent"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
      SELECT FROM approval
      WHERE id = NEW.approval_id AND kind = 'rule' AND subject = NEW.rule_id::text AND status = 'approved') THEN
    RAISE EXCEPTION 'version % of rule % is not approved', NEW.terms_version, NEW.rule_id
      USING ERRCODE = 'check_violation', CONSTRAINT = 'rule_consent_approved';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER "rule_consent_approved" BEFORE INSERT ON "rule_consent"
  FOR EACH ROW WHEN (NEW.approval_id IS NOT NULL) EXECUTE FUNCTION "refuse_unapproved_consent"();

-- People are also told of rules. The amount of a rule is the most that it may create in a month.
CREATE OR REPLACE FUNCTION "tell_approval"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM stage_notice('approval_asked', NEW.id::text, jsonb_build_object(
      'approvalId', NEW.id,
      'approvalKind', NEW.kind,
      'accountId', coalesce(recharge.account_id, rule.account_id),
      'amount', coalesce(recharge.amount_minor::text, plan.total_minor::text,
        proposal.terms #>> '{caps,perMonthMinor}'),
      'currency', coalesce(recharge.currency, plan.currency, rule.currency)),
    NEW.created_at, 'infinity')
  FROM (SELECT) one
  LEFT JOIN recharge_transaction recharge ON NEW.kind = 'recharge' AND recharge.id::text = NEW.subject
  LEFT JOIN recharge_plan plan ON NEW.kind = 'plan' AND plan.id::text = NEW.subject
  LEFT JOIN rule_proposal proposal ON NEW.kind = 'rule' AND proposal.id = NEW.id
  LEFT JOIN recharge_rule rule ON rule.id = proposal.rule_id;
  RETURN NULL;
END $$;
