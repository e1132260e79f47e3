import type { Widening } from '../../core/rules/rule-widening.js';
import { Prisma } from '../../generated/client.js';
import { type Consent, presentTarget } from './consent.js';
import type { RuleRechargeForm, RuleRow } from './rule.js';

/** How versions of rules are approved. */
export type RuleApproving = Readonly<{
  /** The time after which an approval expires. */
  expiresMs: number;
  newId: () => string;
}>;

/** Who wants a version of a rule. */
export type RuleAsker = Readonly<{
  /** The key that the rule goes on under. */
  keyId: string;
  /** In words. */
  actor: string;
  /** The client whose key asks. Null: a person of the console does. */
  clientId: string | null;
}>;

/** A version of a rule that needs an approval, and the approval that it asks for. */
export type RuleProposal = Readonly<{
  /** The id of the version, and also of its approval. */
  id: string;
  consent: Consent;
  recharge: RuleRechargeForm;
  by: RuleAsker;
  widens: readonly Widening[];
  /** Once it is approved the rule acts. */
  starts: boolean;
  expiresMs: number;
}>;

/** An approval expires by the clock of the database, whatever the clock of the rules is. */
export const expiryOf = ({ expiresMs }: Pick<RuleProposal, 'expiresMs'>): Prisma.Sql =>
  Prisma.sql`now() + ${expiresMs}::float8 * interval '1 ms'`;

/** The version that a rule of the relation `from` asks for. A trigger asks for its approval. */
export const insertedProposals = (
  { id, consent, recharge, by, widens, starts, expiresMs }: RuleProposal,
  from: 'inserted_rules' | 'won_rules',
): Prisma.Sql => Prisma.sql`
    inserted_proposals as (
      insert into rule_proposal (
        id,
        rule_id,
        terms,
        terms_hash,
        recharge,
        target,
        key_id,
        actor,
        requested_by,
        client_id,
        widens,
        starts,
        based_on,
        expires_at)
      select
        ${id}::uuid,
        asking.id,
        ${JSON.stringify(consent.terms)}::jsonb,
        ${consent.termsHash},
        ${JSON.stringify(recharge)}::jsonb,
        asking.${Prisma.raw(from === 'won_rules' ? 'next_target' : 'target')},
        ${by.keyId},
        ${by.actor},
        ${by.clientId ?? by.actor},
        ${by.clientId}::uuid,
        ${JSON.stringify(widens)}::jsonb,
        ${starts}::boolean,
        asking.terms_version,
        ${expiryOf({ expiresMs })}
      from ${Prisma.raw(from)} asking
      returning id, rule_id, expires_at)`;

/**
 * Whether the terms of `rule` have changed since `proposal` was judged against them. An older release, which knows no
 * proposals, changes terms without ending the proposal that waits.
 */
export const isOutdated = Prisma.sql`(proposal.based_on <> rule.terms_version) is true`;

/** A rule as it was judged. */
export type JudgedRule = Pick<RuleRow, 'id' | 'termsVersion' | 'proposalId' | 'status' | 'pausedBecause'> &
  Readonly<{
    /** The place where the money of the new version goes. */
    nextTarget: string | null;
  }>;

/**
 * The rule as `won_rules`, locked. It is missing if the rule has changed since it was judged, or if the version that
 * waits was decided meanwhile. That version is refused with the reason, because another one takes its place. The rule
 * is locked before the approval, as everywhere.
 */
export const wonRules = (judged: JudgedRule, isToPayee: boolean, reason: string): Prisma.Sql => Prisma.sql`
    locked_rules as materialized (
      select rule.*, ${judged.nextTarget}::text as next_target
      from recharge_rule rule
      where rule.id = ${judged.id}::uuid
        and rule.terms_version = ${judged.termsVersion}::int
        and rule.proposal_id is not distinct from ${judged.proposalId}::uuid
        and rule.status = ${judged.status}
        and rule.paused_because is not distinct from ${judged.pausedBecause}
        ${isToPayee ? Prisma.sql`and ${presentTarget} is not distinct from ${judged.nextTarget}` : Prisma.empty}
      for update),
    ${answeredProposals(reason)},
    won_rules as materialized (
      select *
      from locked_rules
      where locked_rules.proposal_id is null or exists (select from answered_proposals))`;

/** Refuses the version that waits, of the rules in the relation `locked_rules`. */
export const answeredProposals = (reason: string): Prisma.Sql => Prisma.sql`
    answered_proposals as (
      update approval
      set
        status = case when approval.expires_at <= now() then 'expired' else 'refused' end,
        reason = ${reason},
        decided_at = now()
      from locked_rules
      where approval.id = locked_rules.proposal_id and approval.status = 'pending'
      returning approval.id)`;
