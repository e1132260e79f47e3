import { limitsFromJson } from '../../core/access/approval.js';
import { type RuleTerms, termsFromStore, termsToStore } from '../../core/rules/rule-terms.js';
import { isAboveLimits, type Widening, widenings } from '../../core/rules/rule-widening.js';
import { Prisma } from '../../generated/client.js';
import { nextLookAt } from '../approvals/standing.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import { consented, consentedAgain, termsHashOf } from './consent.js';
import { staysInWallet } from './create.js';
import { followRuleApproval } from './follow-approval.js';
import { isVisible, oneRule, type RuleViewer } from './list.js';
import type { RuleClock } from './look/clock.js';
import {
  insertedProposals,
  type JudgedRule,
  type RuleApproving,
  type RuleProposal,
  wonRules,
} from './proposal.js';
import { payeeName, type RuleRechargeForm, type RuleRow, type RuleView, ruleColumns } from './rule.js';

export type RuleChange = Readonly<{
  terms: RuleTerms;
  recharge: RuleRechargeForm;
  /** The version of the terms that these were merged into. Null: they are whole, whatever the present terms are. */
  basedOn: number | null;
  keyId: string;
  actor: string;
}>;

/**
 * Who resumes a rule, in words. If a key resumes a rule, the rule belongs to that key afterwards. Null: the rule keeps
 * its key.
 */
export type Resumer = Readonly<{ keyId: string | null; actor: string }>;

/**
 * A version that somebody asks for. `agreed` is null for a paused rule that is to act again on the terms that it has.
 */
export type VersionWish = Resumer &
  Readonly<{ agreed: Pick<RuleChange, 'terms' | 'recharge' | 'basedOn'> | null; viewer: RuleViewer }>;

/** `changed_since`: the rule has another version than the one that the wish was merged into. Nothing is written. */
export type ChangedRule = RuleView | 'changed_since' | null;

/** A rule with what a new version of it is judged by. */
type RuleStanding = RuleRow &
  Readonly<{
    /** The hash of the terms that it has. */
    termsHash: string;
    keyLimits: unknown;
    payeeLimits: unknown;
    payee: string | null;
    /** The version that waits, while a person may still approve it. */
    pending: Readonly<{ termsHash: string; keyId: string; target: string | null; starts: boolean }> | null;
  }>;

// Each round that fails means that somebody else changed the rule in between.
const ROUNDS_MAX = 12;

/**
 * Gives a rule a new version of its terms, or lets a paused one act again. Above the limits a version that charges more,
 * oftener or elsewhere waits for an approval, and the rule goes on as it is. Any version voids the one that waits. The
 * version is judged by the rule as it was read, and judged again if the rule has changed since.
 */
export async function changeVersion(
  run: Run,
  clock: RuleClock,
  approving: RuleApproving,
  id: string,
  wish: VersionWish,
): Promise<ChangedRule> {
  if (!isUuid(id)) return null;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const standing = await readStanding(run, id, wish);
    if (standing === null) return null;
    if (standing.proposalId !== null && (await followRuleApproval(run, clock, id))) continue;
    if ((wish.agreed?.basedOn ?? standing.termsVersion) !== standing.termsVersion) return 'changed_since';
    if (await isSettled(run, clock, approving, { wish, standing }))
      return oneRule(run, clock, id, wish.viewer);
  }
  throw new Error(`rule ${id} was changed by others ${ROUNDS_MAX} times in a row`);
}

async function readStanding(
  run: Run,
  id: string,
  { keyId, viewer }: VersionWish,
): Promise<RuleStanding | null> {
  const [standing] = await run<RuleStanding>(Prisma.sql`
    select
      ${ruleColumns},
      consent.terms_hash as "termsHash",
      coalesce(key.approval_above, '{}') as "keyLimits",
      coalesce(payee.approval_above, '{}') as "payeeLimits",
      ${payeeName} as payee,
      (
        select jsonb_build_object(
          'termsHash', proposal.terms_hash,
          'keyId', proposal.key_id,
          'target', proposal.target,
          'starts', proposal.starts)
        from rule_proposal proposal
        join approval on approval.id = proposal.id
        where proposal.id = rule.proposal_id and approval.status = 'pending' and approval.expires_at > now()) as pending
    from recharge_rule rule
    join rule_consent consent on consent.rule_id = rule.id and consent.terms_version = rule.terms_version
    left join api_key key on key.id = coalesce(${keyId}::text, rule.key_id) and key.client_id = rule.client_id
    left join payee on payee.account_id = rule.account_id and payee.currency = rule.currency
    where rule.id = ${id}::uuid and ${isVisible(viewer)}`);
  return standing ?? null;
}

type JudgedWish = Readonly<{ wish: VersionWish; standing: RuleStanding }>;

/** Writes the version. False: the rule has changed since it was read, and nothing is written. */
async function isSettled(
  run: Run,
  clock: RuleClock,
  approving: RuleApproving,
  { wish, standing }: JudgedWish,
): Promise<boolean> {
  if (wish.agreed === null && standing.status !== 'paused') return true;
  const next = nextOf(wish, standing);
  const widens = neededApproval(next, standing);
  if (widens !== null && isPending(standing, next)) return true;
  const judged: JudgedRule = { ...standing, nextTarget: next.target };
  const reason = wish.agreed === null ? 'the rule was resumed' : 'the rule was changed';
  const won = wonRules(judged, !next.isInWallet, reason);
  const proposal = widens && { ...next, widens, id: approving.newId(), expiresMs: approving.expiresMs };
  const written = await run<{ id: string }>(
    proposal
      ? Prisma.sql`with ${won}, ${proposedVersion(clock, proposal)}`
      : Prisma.sql`with ${won}, ${wish.agreed === null ? resumedRule(clock, next) : changedRule(clock, next)}`,
  );
  return written.length === 1;
}

/** A version as it would be stored. */
type NextVersion = Pick<RuleProposal, 'consent' | 'recharge' | 'by' | 'starts'> &
  Readonly<{ terms: RuleTerms; target: string | null; isInWallet: boolean }>;

function nextOf({ agreed, keyId, actor, viewer }: VersionWish, standing: RuleStanding): NextVersion {
  const { terms, recharge } = agreed ?? {
    terms: termsFromStore(standing.terms),
    recharge: standing.recharge,
  };
  const stored = agreed === null ? standing.terms : termsToStore(terms);
  const isInWallet = staysInWallet({ watch: standing.watch, recharge });
  return {
    terms,
    recharge,
    isInWallet,
    target: isInWallet ? null : standing.payee,
    consent: {
      ...{ actor, terms: stored },
      termsHash: agreed === null ? standing.termsHash : termsHashOf(stored, recharge),
    },
    by: { actor, keyId: keyId ?? standing.keyId, clientId: viewer?.clientId ?? null },
    starts: agreed === null || standing.status === 'expired' || isResting(standing),
  };
}

/** The rule waits for an approval, or has not got it. */
const isResting = ({ pausedBecause }: Pick<RuleRow, 'pausedBecause'>): boolean =>
  pausedBecause === 'APPROVAL' || pausedBecause === 'NOT_APPROVED';

/**
 * The fields in which the version goes beyond the terms in force, if that needs an approval. Null: the version needs no
 * approval.
 */
function neededApproval(next: NextVersion, standing: RuleStanding): Widening[] | null {
  const payeeLimits = limitsFromJson(next.isInWallet ? {} : standing.payeeLimits);
  if (!isAboveLimits(next.terms, standing.currency, limitsFromJson(standing.keyLimits), payeeLimits))
    return null;
  if (!standing.inForce) return [];
  const widens = widenings({ ...standing, terms: termsFromStore(standing.terms) }, next);
  return widens.length === 0 ? null : widens;
}

/** Exactly this version waits already, so a repeated request does not void its approval. */
const isPending = ({ pending }: RuleStanding, { consent, by, target, starts }: NextVersion): boolean =>
  pending?.termsHash === consent.termsHash &&
  pending.keyId === by.keyId &&
  pending.target === target &&
  pending.starts === starts;

/** The version waits. A rule that acts goes on by the terms in force. */
const proposedVersion = (clock: RuleClock, proposal: RuleProposal): Prisma.Sql => Prisma.sql`
    ${insertedProposals(proposal, 'won_rules')}
    update recharge_rule rule
    set
      proposal_id = proposal.id,
      status = case when ${proposal.starts}::boolean then 'paused' else rule.status end,
      paused_because = case when ${proposal.starts}::boolean then 'APPROVAL' else rule.paused_because end,
      due_at = case when rule.status = 'active' and not ${proposal.starts}::boolean then rule.due_at
        else ${nextLookAt(Prisma.sql`proposal.expires_at`)} end,
      version = rule.version + ${proposal.starts}::boolean::int,
      updated_at = ${clock.now()}
    from inserted_proposals proposal
    where rule.id = proposal.rule_id
    returning rule.id`;

/** Replaces the terms of a rule. What the rule created so far still counts towards its caps. */
const changedRule = (
  clock: RuleClock,
  { consent, recharge, terms, by }: NextVersion,
): Prisma.Sql => Prisma.sql`
    changed_rules as (
      update recharge_rule rule
      set
        terms = ${JSON.stringify(consent.terms)}::jsonb,
        below_minor = ${terms.belowMinor.toString()}::bigint,
        recharge = ${JSON.stringify(recharge)}::jsonb,
        target = won.next_target,
        key_id = ${by.keyId},
        proposal_id = null,
        in_force = true,
        terms_version = rule.terms_version + 1,
        version = rule.version + 1,
        status = case when ${isStarted} then 'active' else rule.status end,
        paused_because = case when not ${isStarted} then rule.paused_because end,
        active_since = case when rule.paused_because in ('APPROVAL', 'NOT_APPROVED') then ${clock.now()}
          else rule.active_since end,
        due_at = case when rule.status = 'active' or ${isStarted} then ${clock.now()} end,
        updated_at = ${clock.now()}
      from won_rules won
      where rule.id = won.id
      returning rule.id, rule.terms_version, rule.target),
    ${consented(clock, consent, 'changed_rules')}
    select id
    from changed_rules`;

const isStarted = Prisma.sql`(
          rule.status = 'expired' or coalesce(rule.paused_because, '') in ('APPROVAL', 'NOT_APPROVED'))`;

/** To resume a rule is to agree to its terms again, and to the place where its money goes now. */
const resumedRule = (clock: RuleClock, { by }: NextVersion): Prisma.Sql => Prisma.sql`
    resumed_rules as (
      update recharge_rule rule
      set
        status = 'active',
        paused_because = null,
        forgiven = rule.decisions,
        active_since = ${clock.now()},
        key_id = ${by.keyId},
        target = won.next_target,
        proposal_id = null,
        in_force = true,
        terms_version = rule.terms_version + 1,
        version = rule.version + 1,
        due_at = ${clock.now()},
        updated_at = ${clock.now()}
      from won_rules won
      where rule.id = won.id
      returning rule.id, rule.terms_version, rule.terms, rule.target),
    ${consentedAgain(clock, by.actor)}
    select id
    from resumed_rules`;
