import { hash } from 'node:crypto';
import type { StoredTerms } from '../../core/rules/rule-terms.js';
import { Prisma } from '../../generated/client.js';
import type { RuleClock } from './look/clock.js';
import { payeeName, type RuleRechargeForm } from './rule.js';

/** The hash of what is agreed: the terms, and how and where the money goes. */
export const termsHashOf = (terms: StoredTerms, recharge: RuleRechargeForm): string =>
  hash('sha256', JSON.stringify([terms, recharge]));

export type Consent = Readonly<{ termsHash: string; terms: StoredTerms; actor: string }>;

/** The columns of a consent, in the order in which they are inserted. */
const columns = Prisma.sql`
      insert into rule_consent (rule_id, terms_version, terms_hash, terms, actor, at, target, approval_id)`;

/** The consent to the terms of the rules in the relation `from`. */
export const consented = (
  clock: RuleClock,
  { termsHash, terms, actor }: Consent,
  from: 'inserted_rules' | 'changed_rules',
): Prisma.Sql => Prisma.sql`
    consents as (${columns}
      select
        id,
        ${from === 'inserted_rules' ? Prisma.sql`1` : Prisma.sql`terms_version`},
        ${termsHash},
        ${JSON.stringify(terms)}::jsonb,
        ${actor},
        ${clock.now()},
        target,
        null
      from ${Prisma.raw(from)})`;

/** The consent of an actor to the same terms as before, of the rules in the relation `resumed_rules`. */
export const consentedAgain = (clock: RuleClock, actor: string): Prisma.Sql => Prisma.sql`
    consents as (${columns}
      select
        resumed.id,
        resumed.terms_version,
        before.terms_hash,
        resumed.terms,
        ${actor},
        ${clock.now()},
        resumed.target,
        null
      from resumed_rules resumed
      join rule_consent before on before.rule_id = resumed.id
        and before.terms_version = resumed.terms_version - 1)`;

/** The consent of those who asked for the approved versions that rules in the relation `adopted_rules` took over. */
export const consentedByApproval = (clock: RuleClock): Prisma.Sql => Prisma.sql`
    consents as (${columns}
      select
        adopted.id,
        adopted.terms_version,
        proposal.terms_hash,
        proposal.terms,
        proposal.actor,
        ${clock.now()},
        proposal.target,
        proposal.id
      from adopted_rules adopted
      join rule_proposal proposal on proposal.id = adopted.approval_id)`;

/** The place where the money of `rule` goes now. */
export const presentTarget = Prisma.sql`(
        select ${payeeName}
        from payee
        where payee.account_id = rule.account_id and payee.currency = rule.currency)`;
