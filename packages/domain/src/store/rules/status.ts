import { Prisma } from '../../generated/client.js';
import { nextLookAt } from '../approvals/standing.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import { isVisible, oneRule, type RuleViewer } from './list.js';
import type { RuleClock } from './look/clock.js';
import { answeredProposals } from './proposal.js';
import type { RuleView } from './rule.js';

/**
 * Pauses a rule. A rule that waits for its approval, or did not get it, is paused by request from now on, and its
 * approval is void. A rule that is paused for another reason keeps that reason. If the rule is active and a version of
 * it waits, the version goes on waiting.
 */
export async function pauseRule(
  run: Run,
  clock: RuleClock,
  id: string,
  viewer: RuleViewer,
): Promise<RuleView | null> {
  if (!isUuid(id)) return null;
  await run(Prisma.sql`
    with
    found_rules as materialized (
      select rule.id, rule.proposal_id, coalesce(rule.paused_because, '') as paused_because
      from recharge_rule rule
      where rule.id = ${id}::uuid and ${isVisible(viewer)}
        and (rule.status = 'active' or rule.paused_because in ('APPROVAL', 'NOT_APPROVED'))
      for update),
    locked_rules as materialized (
      select *
      from found_rules
      where paused_because = 'APPROVAL'),
    ${answeredProposals('the rule was paused')}
    update recharge_rule rule
    set
      status = 'paused',
      paused_because = 'BY_REQUEST',
      proposal_id = case when found_rules.paused_because <> 'APPROVAL' then rule.proposal_id end,
      due_at = case when found_rules.paused_because <> 'APPROVAL' and rule.proposal_id is not null
        then ${nextLookAt()} end,
      version = rule.version + 1,
      updated_at = ${clock.now()}
    from found_rules
    where rule.id = found_rules.id`);
  return oneRule(run, clock, id, viewer);
}

/** Ends a rule, and voids the approval of the version that waits. Returns the rule as it was. */
export async function removeRule(
  run: Run,
  clock: RuleClock,
  id: string,
  viewer: RuleViewer,
): Promise<RuleView | null> {
  const before = await oneRule(run, clock, id, viewer);
  if (before === null) return null;
  await run(Prisma.sql`
    with
    locked_rules as materialized (
      select rule.id, rule.proposal_id
      from recharge_rule rule
      where rule.id = ${id}::uuid and ${isVisible(viewer)}
      for update),
    ${answeredProposals('the rule was removed')}
    update recharge_rule rule
    set status = 'deleted', paused_because = null, proposal_id = null, due_at = null, version = rule.version + 1,
      updated_at = ${clock.now()}
    from locked_rules
    where rule.id = locked_rules.id`);
  return before;
}
