-- An approval is decided in a commit of its own. If the process dies before the rule or the plan follows it, a later look
-- does. So what waits for an approval is due again and again, and not only when the approval expires. That includes a rule
-- that is paused or has expired while a version of it waits.
--
-- On a live database: the check reads the rules once, under a lock against writes of rules until this migration is
-- committed. The updates touch only what waits now. An older release that is still running makes such a row due at the
-- expiry again, as before.

ALTER TABLE "recharge_rule"
  DROP CONSTRAINT "recharge_rule_never_forgotten",
  ADD CONSTRAINT "recharge_rule_never_forgotten" CHECK (
    CASE WHEN status = 'active' OR paused_because IS NOT DISTINCT FROM 'APPROVAL' THEN due_at IS NOT NULL
      ELSE due_at IS NULL OR proposal_id IS NOT NULL END);

UPDATE recharge_rule SET due_at = now() WHERE status IN ('paused', 'expired') AND proposal_id IS NOT NULL;
UPDATE recharge_plan SET due_at = now() WHERE status = 'waiting';
