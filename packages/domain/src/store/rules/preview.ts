import { type BackTest, type BalancePoint, backTest } from '../../core/rules/rule-back-test.js';
import { decideRule, type RuleDecision } from '../../core/rules/rule-decision.js';
import { comparedMinor, type RuleFacts } from '../../core/rules/rule-facts.js';
import { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { needsRuleApproval, staysInWallet } from './create.js';
import { readBurn } from './look/burn.js';
import type { RuleClock } from './look/clock.js';
import { countersOf, readWider } from './look/counters.js';
import { isNewPayee, underWay, watchedAccount } from './look/facts.js';
import type { LookOptions } from './look/look.js';
import { figureOf } from './look/readings.js';
import { type NewRule, payeeSource, walletOf } from './rule.js';

/** What a rule that is not stored would do. */
export type RulePreview = Readonly<{
  /** What stops the rule from being stored. */
  problem: 'no_payee' | 'other_currency' | null;
  balanceMinor: bigint | null;
  /** What it would do now, once it may act. Null where the balance was not read yet. */
  next: RuleDecision | null;
  /** A second person has to approve the rule before it acts. */
  isApprovalNeeded: boolean;
}>;

type RulePreviewRow = Readonly<{
  now: Date;
  isStopped: boolean;
  payeeCurrency: string | null;
  balanceMinor: bigint | null;
  cashMinor: bigint | null;
  balanceAt: Date | null;
  underWayMinor: bigint;
  payeeSource: string | null;
  isNewPayee: boolean;
}>;

const NOTHING_SPENT: RuleFacts['spending'] = {
  ...{ dayMinor: 0n, timesInDay: 0, dayFreeAt: null, monthMinor: 0n, timesInMonth: 0, timesInBurst: 0 },
};

/** The asked rule, as a row that is not stored. */
const asked = ({ clientId, accountId, currency, watch }: NewRule): Prisma.Sql => Prisma.sql`(
    select
      ${clientId}::uuid as client_id,
      ${accountId}::text as account_id,
      ${currency}::text as currency,
      ${watch}::text as watch) rule`;

export async function previewRule(
  run: Run,
  clock: RuleClock,
  { times, wider }: Pick<LookOptions, 'times' | 'wider'>,
  rule: NewRule,
): Promise<RulePreview> {
  const [row] = await run<RulePreviewRow>(Prisma.sql`
    select
      ${clock.now()} as now,
      (select is_stopped from rule_switch where id = 1) as "isStopped",
      (select any_payee.currency from payee any_payee where any_payee.account_id = rule.account_id) as "payeeCurrency",
      case when rule.watch = 'wallet' then coalesce((${walletOf}), 0) else watched.balance_minor end as "balanceMinor",
      case when rule.watch = 'cloud' then watched.cash_minor end as "cashMinor",
      case when rule.watch = 'wallet' then ${clock.now()} else watched.read_at end as "balanceAt",
      (${underWay}) as "underWayMinor",
      ${payeeSource} as "payeeSource",
      (${isNewPayee}) as "isNewPayee"
    from ${asked(rule)}
    left join payee on payee.account_id = rule.account_id and payee.currency = rule.currency
    ${watchedAccount}`);
  const { now, balanceMinor: minor, cashMinor, balanceAt, payeeCurrency } = row!;
  const isElsewhere = payeeCurrency !== rule.currency && !staysInWallet(rule);
  const problem = !isElsewhere ? null : payeeCurrency === null ? 'no_payee' : 'other_currency';
  const balanceMinor = minor === null ? null : comparedMinor(rule.terms, { minor, cashMinor });
  const isApprovalNeeded = await needsRuleApproval(run, rule);
  if (problem !== null || minor === null || balanceAt === null)
    return { problem, balanceMinor, next: null, isApprovalNeeded };
  const facts: RuleFacts = {
    ...{ isStopped: row!.isStopped, hasKey: true, target: 'agreed', last: null, isNewPayee: row!.isNewPayee },
    reading: { minor, cashMinor, at: balanceAt },
    underWayMinor: row!.underWayMinor,
    spending: NOTHING_SPENT,
    wider: await readWider(run, wider, countersOf(rule.clientId, row!.payeeSource, rule.currency, now)),
    declines: { inARow: 0, lastAt: null, lasting: null },
    burn: await readBurn(run, clock, { ...rule, figure: rule.terms.balance }),
    activeSince: now,
  };
  return { problem, balanceMinor, next: decideRule(rule.terms, facts, times, now), isApprovalNeeded };
}

const HISTORY_DAYS = 30;
const POINTS_MAX = 5_000;

/** Tries a rule on the stored balances of the last days. */
export async function backTestRule(run: Run, clock: RuleClock, rule: NewRule): Promise<BackTest> {
  const points = await run<BalancePoint>(
    rule.watch === 'wallet' ? ofWallet(clock, rule) : atCloud(clock, rule),
  );
  return backTest(rule.terms, points.toReversed());
}

/** The balance after each entry, newest first. A transfer between two parts of one wallet is one entry of each. */
const ofWallet = (clock: RuleClock, { accountId, currency }: NewRule): Prisma.Sql => {
  const name = `wallet:${accountId}:available`;
  const side = (one: 'debit' | 'credit'): Prisma.Sql => Prisma.sql`(
    select at, id, ${Prisma.raw(`${one}_balance_minor`)} as minor
    from ledger_entry
    where ${Prisma.raw(`${one}_account`)} = ${name} and currency = ${currency}
      and ${Prisma.raw(`${one}_account`)} like 'wallet:%'
      and at > ${clock.now()} - ${HISTORY_DAYS}::int * interval '1 day'
    order by at desc, id desc
    limit ${POINTS_MAX}::int)`;
  return Prisma.sql`
    select at, minor
    from (${side('debit')} union all ${side('credit')}) entry
    order by at desc, id desc
    limit ${POINTS_MAX}::int`;
};

const atCloud = (clock: RuleClock, { accountId, currency, terms }: NewRule): Prisma.Sql => Prisma.sql`
  select reading.at, ${figureOf(terms.balance)} as minor
  from payee
  join account_reading reading on reading.provider = payee.provider
    and reading.provider_account = payee.provider_account
    and reading.account = payee.to_account
    and reading.currency = payee.currency
  where payee.account_id = ${accountId} and payee.currency = ${currency}
    and reading.at > ${clock.now()} - ${HISTORY_DAYS}::int * interval '1 day'
    and ${figureOf(terms.balance)} is not null
  order by reading.at desc
  limit ${POINTS_MAX}::int`;
