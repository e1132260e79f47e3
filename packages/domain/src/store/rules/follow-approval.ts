import { Prisma } from '../../generated/client.js';
import { nextLookAt, VOID } from '../approvals/standing.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import { consentedByApproval } from './consent.js';
import type { RuleClock } from './look/clock.js';
import { isOutdated } from './proposal.js';

/**
 * Lets a rule follow the approval of the version that waits: approved, it becomes the rule's own; refused or expired, the
 * rule goes on as it was, and one that rests goes on resting. The approval is decided in a commit of its own before. A
 * rule looks again and again as long as a version waits, also one that rests, so a crash in between loses nothing. A look
 * at a rule that rests reads nothing but its approval. Returns whether the rule has changed.
 */
export async function followRuleApproval(run: Run, clock: RuleClock, ruleId: string): Promise<boolean> {
  if (!isUuid(ruleId)) return false;
  const [followed] = await run<{ isChanged: boolean }>(Prisma.sql`
    with
    ${foundOutcome(ruleId)},
    ${adoptedRules(clock)},
    ${consentedByApproval(clock)},
    ${leftRules(clock)},
    resting_rules as (
      update recharge_rule rule
      set due_at = ${nextLookAt(Prisma.sql`outcome.expires_at`)}
      from outcome
      where rule.id = outcome.rule_id and outcome.status = 'pending' and rule.status <> 'active')
    select exists (select from adopted_rules) or exists (select from left_rules) as "isChanged"`);
  return followed!.isChanged;
}

/**
 * The approval of the version that waits. An approval whose time is over expires here. If the terms of the rule have
 * changed since, the approval is refused here. Even if it was given before, the version is not adopted.
 */
const foundOutcome = (ruleId: string): Prisma.Sql => Prisma.sql`
    waiting_rules as materialized (
      select id, proposal_id, terms_version
      from recharge_rule
      where id = ${ruleId}::uuid and proposal_id is not null
      for update),
    found as materialized (
      select approval.*, rule.id as rule_id, ${isOutdated} as is_outdated
      from waiting_rules rule
      join approval on approval.id = rule.proposal_id
      join rule_proposal proposal on proposal.id = rule.proposal_id),
    ended as (
      update approval
      set
        status = case when found.is_outdated then 'refused' else 'expired' end,
        reason = case when found.is_outdated then ${VOID} else 'nobody decided in time' end,
        decided_at = now()
      from found
      where approval.id = found.id and approval.status = 'pending'
        and (approval.expires_at <= now() or found.is_outdated)
      returning approval.id, approval.status),
    outcome as materialized (
      select
        found.rule_id,
        found.id as approval_id,
        found.expires_at,
        case when found.is_outdated then 'refused' else coalesce(ended.status, found.status) end as status
      from found
      left join ended on ended.id = found.id)`;

const adoptedRules = (clock: RuleClock): Prisma.Sql => Prisma.sql`
    adopted_rules as (
      update recharge_rule rule
      set
        terms = proposal.terms,
        below_minor = (proposal.terms ->> 'belowMinor')::bigint,
        recharge = proposal.recharge,
        target = proposal.target,
        key_id = proposal.key_id,
        proposal_id = null,
        in_force = true,
        terms_version = rule.terms_version + 1,
        version = rule.version + 1,
        status = case when proposal.starts or rule.status = 'expired' then 'active' else rule.status end,
        paused_because = case when not proposal.starts then rule.paused_because end,
        forgiven = case when proposal.starts then rule.decisions else rule.forgiven end,
        active_since = case when proposal.starts then ${clock.now()} else rule.active_since end,
        due_at = case when proposal.starts or rule.status in ('active', 'expired') then ${clock.now()} end,
        updated_at = ${clock.now()}
      from outcome
      join rule_proposal proposal on proposal.id = outcome.approval_id
      where rule.id = outcome.rule_id and outcome.status = 'approved'
      returning rule.id, rule.terms_version, outcome.approval_id)`;

const leftRules = (clock: RuleClock): Prisma.Sql => Prisma.sql`
    left_rules as (
      update recharge_rule rule
      set
        proposal_id = null,
        version = rule.version + 1,
        paused_because = case when rule.paused_because = 'APPROVAL' then 'NOT_APPROVED' else rule.paused_because end,
        due_at = case when rule.status = 'active' then rule.due_at end,
        updated_at = ${clock.now()}
      from outcome
      where rule.id = outcome.rule_id and outcome.status in ('refused', 'expired')
      returning rule.id)`;
