import { termsFromStore } from '../../core/rules/rule-terms.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isUuid } from '../database/storable.js';
import type { RuleClock } from './look/clock.js';
import { countsSince, type RuleCounts } from './look/outcomes.js';
import {
  type FiledDecision,
  type RuleForecast,
  type RuleRow,
  type RuleView,
  type RuleWaiting,
  ruleColumns,
  walletOf,
  watchedFigure,
} from './rule.js';

/** The rules that a caller may see: those of its client on accounts of its SQL LIKE patterns. Null: an operator sees all. */
export type RuleViewer = Readonly<{ clientId: string; accountPatterns: readonly string[] }> | null;

export type RuleFilter = Readonly<{
  viewer: RuleViewer;
  accountId?: string | undefined;
  status?: 'active' | 'paused' | 'expired' | undefined;
  /** `nextId` of the previous page. */
  beforeId?: string | undefined;
  limit: number;
}>;

/** A page of rules, newest first. `nextId` is null at the end. */
export type RulePage = Readonly<{ rows: readonly RuleView[]; nextId: string | null }>;

export type Decisions = Readonly<{ rows: readonly FiledDecision[]; nextSeq: number | null }>;

type ShownRow = RuleRow &
  Readonly<{
    isStopped: boolean;
    inDay: RuleCounts;
    consent: Omit<RuleView['consent'], 'at'> & { at: string };
    last:
      | (Omit<FiledDecision, 'at' | 'balanceMinor' | 'amountMinor'> &
          Record<'at', string> &
          Record<'balanceMinor' | 'amountMinor', string | null>)
      | null;
    waiting: (Omit<RuleWaiting, 'since' | 'until'> & Record<'since' | 'until', string>) | null;
    balanceMinor: bigint | null;
    balanceAt: Date | null;
  }>;

export const isVisible = (viewer: RuleViewer): Prisma.Sql =>
  viewer === null
    ? Prisma.sql`rule.status <> 'deleted'`
    : Prisma.sql`
  rule.client_id = ${viewer.clientId}::uuid and rule.account_id like any(${[...viewer.accountPatterns]}::text[])
    and rule.status <> 'deleted'`;

const shownColumns = (clock: RuleClock): Prisma.Sql => Prisma.sql`
    ${ruleColumns},
    (${countsSince(Prisma.sql`${clock.now()} - interval '1 day'`)}) as "inDay",
    (select is_stopped from rule_switch where id = 1) as "isStopped",
    (
      select jsonb_build_object(
        'actor', consent.actor,
        'at', consent.at,
        'termsHash', consent.terms_hash,
        'target', consent.target,
        'termsVersion', consent.terms_version)
      from rule_consent consent
      where consent.rule_id = rule.id and consent.terms_version = rule.terms_version) as consent,
    (
      select jsonb_build_object(
        'approvalId', approval.id,
        'since', approval.created_at,
        'until', approval.expires_at,
        'widens', proposal.widens)
      from rule_proposal proposal
      join approval on approval.id = proposal.id
      where proposal.id = rule.proposal_id and approval.status = 'pending' and approval.expires_at > now()) as waiting,
    (
      select jsonb_build_object(
        'seq', decision.seq,
        'at', decision.at,
        'balanceMinor', decision.balance_minor::text,
        'decided', decision.decided,
        'because', decision.because,
        'amountMinor', decision.amount_minor::text,
        'transactionId', decision.transaction_id,
        'numbers', decision.numbers)
      from rule_decision decision
      where decision.rule_id = rule.id and decision.seq = rule.decisions) as last,
    case when rule.watch = 'wallet' then coalesce((${walletOf}), 0) else ${watchedFigure} end as "balanceMinor",
    case when rule.watch = 'wallet' then ${clock.now()} else watched.read_at end as "balanceAt"`;

const watchedBy = Prisma.sql`
  left join payee on payee.account_id = rule.account_id and payee.currency = rule.currency
  left join watched_account watched on rule.watch = 'cloud'
    and watched.provider = payee.provider
    and watched.provider_account = payee.provider_account
    and watched.account = payee.to_account
    and watched.currency = rule.currency`;

export async function oneRule(
  run: Run,
  clock: RuleClock,
  id: string,
  viewer: RuleViewer,
): Promise<RuleView | null> {
  if (!isUuid(id)) return null;
  const [row] = await run<ShownRow>(Prisma.sql`
    select ${shownColumns(clock)}
    from recharge_rule rule
    ${watchedBy}
    where rule.id = ${id}::uuid and ${isVisible(viewer)}`);
  return row ? viewOfRule(row) : null;
}

export async function listRules(run: Run, clock: RuleClock, filter: RuleFilter): Promise<RulePage> {
  const { viewer, accountId, status, beforeId, limit } = filter;
  const rows = await run<ShownRow>(Prisma.sql`
    select ${shownColumns(clock)}
    from (
      select *
      from recharge_rule rule
      where ${isVisible(viewer)}
        and ${accountId === undefined ? Prisma.sql`true` : Prisma.sql`rule.account_id = ${accountId}`}
        and ${isOfStatus(status)}
        and ${beforeId === undefined ? Prisma.sql`true` : Prisma.sql`rule.id < ${beforeId}::uuid`}
      order by rule.id desc
      limit ${limit + 1}::int) rule
    ${watchedBy}
    order by rule.id desc`);
  const page = rows.slice(0, limit).map(viewOfRule);
  return { rows: page, nextId: rows.length > limit ? page.at(-1)!.id : null };
}

/** Most rules are active. The others are few, and have indexes of their own, whose condition is named here. */
function isOfStatus(status: RuleFilter['status']): Prisma.Sql {
  if (status === undefined) return Prisma.sql`true`;
  const isOne = Prisma.sql`rule.status = ${status}`;
  return status === 'active' ? isOne : Prisma.sql`${isOne} and rule.status in ('paused', 'expired')`;
}

// A condition that accepts a missing cursor would read all newer decisions, in the plan for all values.
const AFTER_LAST_SEQ = 2_147_483_647;

/** The decisions of a rule, newest first. */
export async function listDecisions(
  run: Run,
  ruleId: string,
  { beforeSeq, limit }: Readonly<{ beforeSeq: number | null; limit: number }>,
): Promise<Decisions> {
  const rows = await run<FiledDecision>(Prisma.sql`
    select
      seq,
      at,
      balance_minor as "balanceMinor",
      decided,
      because,
      amount_minor as "amountMinor",
      transaction_id as "transactionId",
      numbers
    from rule_decision
    where rule_id = ${ruleId}::uuid and seq < ${beforeSeq ?? AFTER_LAST_SEQ}::int
    order by seq desc
    limit ${limit + 1}::int`);
  const page = rows.slice(0, limit);
  return { rows: page, nextSeq: rows.length > limit ? page.at(-1)!.seq : null };
}

const bigintOf = (text: string | null): bigint | null => (text === null ? null : BigInt(text));

export function viewOfRule(row: ShownRow): RuleView {
  const { last, consent, waiting, balanceMinor, balanceAt, burn, ...rule } = row;
  return {
    id: rule.id,
    clientId: rule.clientId,
    keyId: rule.keyId,
    accountId: rule.accountId,
    currency: rule.currency,
    watch: rule.watch,
    terms: termsFromStore(rule.terms),
    recharge: rule.recharge,
    status: rule.status,
    pausedBecause: rule.pausedBecause,
    waiting: waiting && { ...waiting, since: new Date(waiting.since), until: new Date(waiting.until) },
    isStopped: rule.isStopped,
    inDay: rule.inDay,
    consent: { ...consent, at: new Date(consent.at) },
    lastDecision: last && {
      ...last,
      at: new Date(last.at),
      balanceMinor: bigintOf(last.balanceMinor),
      amountMinor: bigintOf(last.amountMinor),
    },
    forecast: forecastOf(balanceMinor, balanceAt, burn && BigInt(burn.perDayMinor)),
    createdAt: rule.createdAt,
    updatedAt: rule.updatedAt,
  };
}

const DAY_MS = 86_400_000;
// A later time is as good as never, and JavaScript's times end in the year 275760.
const FORECAST_DAYS_MAX = 36_500;

function forecastOf(balanceMinor: bigint | null, asOf: Date | null, burn: bigint | null): RuleForecast {
  const days = balanceMinor === null || !burn ? null : Number(balanceMinor) / Number(burn);
  const runsOutAt =
    days === null || asOf === null || days > FORECAST_DAYS_MAX
      ? null
      : new Date(asOf.getTime() + Math.max(0, days) * DAY_MS);
  return { balanceMinor, asOf: balanceMinor === null ? null : asOf, burnPerDayMinor: burn, runsOutAt };
}
