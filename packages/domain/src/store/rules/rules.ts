import type { BackTest } from '../../core/rules/rule-back-test.js';
import { Prisma } from '../../generated/client.js';
import type { Store } from '../database/database.js';
import {
  type ChangedRule,
  changeVersion,
  type Resumer,
  type RuleChange,
  type VersionWish,
} from './change.js';
import { type CreatedRule, createRule } from './create.js';
import { followRuleApproval } from './follow-approval.js';
import {
  type Decisions,
  listDecisions,
  listRules,
  oneRule,
  type RuleFilter,
  type RulePage,
  type RuleViewer,
} from './list.js';
import { type LookOptions, type LookResult, lookOnce, type RouteOfMethod } from './look/look.js';
import { openWatchedBalances, type WatchedBalances } from './look/readings.js';
import { backTestRule, previewRule, type RulePreview } from './preview.js';
import type { NewRule, RuleView } from './rule.js';
import { pauseRule, removeRule } from './status.js';

/** Standing orders that recharge accounts when a balance falls. */
export interface Rules {
  create(rule: NewRule): Promise<CreatedRule>;
  /** What a rule would do now. It stores nothing. */
  preview(rule: NewRule): Promise<RulePreview>;
  /** What a rule would have done on the stored balances. It stores nothing. */
  backTest(rule: NewRule): Promise<BackTest>;
  list(filter: RuleFilter): Promise<RulePage>;
  one(id: string, viewer: RuleViewer): Promise<RuleView | null>;
  /**
   * Gives a rule new terms, to which the actor agrees by a new consent. A version that charges more, oftener or
   * elsewhere than before also waits for an approval, if it is above the limits of its key or payee. If the terms were
   * merged into an older version, nothing changes. Null: there is no such rule.
   */
  change(id: string, viewer: RuleViewer, change: RuleChange): Promise<ChangedRule>;
  pause(id: string, viewer: RuleViewer): Promise<RuleView | null>;
  /** Forgives earlier declines and bursts. It is a new consent, to the present payee too, and may need an approval. */
  resume(id: string, viewer: RuleViewer, by: Resumer): Promise<RuleView | null>;
  /** Ends a rule. Its decisions stay. False: there is no such rule. */
  remove(id: string, viewer: RuleViewer): Promise<boolean>;
  decisions(id: string, page: Readonly<{ beforeSeq: number | null; limit: number }>): Promise<Decisions>;
  /**
   * Stops or starts all rules of all clients. After a stop no rule makes a recharge. Returns whether this changed
   * anything.
   */
  setStopped(isStopped: boolean, actor: string): Promise<boolean>;
  stop(): Promise<RuleStop>;
  /** Lets a rule follow the approval of the version that waits. Returns whether the rule has changed. */
  follow(id: string): Promise<boolean>;
  look(id: string, route: RouteOfMethod): Promise<LookResult | null>;
  /**
   * Takes rules that should look sooner than planned: their wallet fell below the threshold since their last look, or
   * their recharge has ended. Returns their ids. Nothing that posts to the ledger or ends a recharge knows about rules.
   */
  pullForward(max: number): Promise<string[]>;
  readonly watched: WatchedBalances;
}

/** Whether all rules are stopped, and who stopped or started them last. */
export type RuleStop = Readonly<{ isStopped: boolean; actor: string; at: Date }>;

export type RuleOptions = LookOptions;

export function openRules({ run, read }: Pick<Store, 'run' | 'read'>, options: RuleOptions): Rules {
  const { clock, lookMs, newId } = options;
  const approving = { newId, expiresMs: options.approving.expiresMs };
  const version = (id: string, wish: VersionWish) => changeVersion(run, clock, approving, id, wish);
  const resumed = async (id: string, wish: Omit<VersionWish, 'agreed'>): Promise<RuleView | null> => {
    const rule = await version(id, { ...wish, agreed: null });
    if (rule === 'changed_since') throw new Error(`rule ${id} was resumed as if its terms had been merged`);
    return rule;
  };
  return {
    create: (rule) => createRule(run, clock, approving, rule),
    preview: (rule) => previewRule(read, clock, options, rule),
    backTest: (rule) => backTestRule(read, clock, rule),
    list: (filter) => listRules(read, clock, filter),
    one: (id, viewer) => oneRule(read, clock, id, viewer),
    change: (id, viewer, { keyId, actor, ...agreed }) => version(id, { keyId, actor, agreed, viewer }),
    pause: (id, viewer) => pauseRule(run, clock, id, viewer),
    resume: (id, viewer, by) => resumed(id, { ...by, viewer }),
    remove: async (id, viewer) => (await removeRule(run, clock, id, viewer)) !== null,
    decisions: (id, page) => listDecisions(read, id, page),
    setStopped: async (isStopped, actor) => {
      const changed = await run(Prisma.sql`
        update rule_switch set is_stopped = ${isStopped}::boolean, actor = ${actor}, at = now()
        where id = 1 and is_stopped <> ${isStopped}::boolean
        returning id`);
      return changed.length === 1;
    },
    stop: async () => {
      const [row] = await read<RuleStop>(Prisma.sql`
        select is_stopped as "isStopped", actor, at from rule_switch where id = 1`);
      return row!;
    },
    follow: (id) => followRuleApproval(run, clock, id),
    look: (id, route) => lookOnce(run, options, id, route),
    pullForward: async (max) => {
      const rows = await run<{ id: string }>(pulledForward(max));
      return rows.map(({ id }) => id);
    },
    watched: openWatchedBalances(run, clock, {
      freshForMs: lookMs * 0.8,
      patienceMs: Math.min(lookMs, 10_000),
    }),
  };
}

/**
 * Rules whose wallet fell below the threshold since their last look, and those whose recharge has ended since. A rule
 * that is due is left to the sweep.
 */
const pulledForward = (max: number): Prisma.Sql => Prisma.sql`
  with
  concerned as materialized (
    select rule.id
    from recharge_rule rule
    join ledger_account wallet on wallet.name = 'wallet:' || rule.account_id || ':available'
      and wallet.currency = rule.currency
    where rule.watch = 'wallet' and rule.due_at > now() and rule.status = 'active'
      and wallet.balance_minor < rule.below_minor
      and wallet.balance_minor is distinct from rule.seen_minor
    union
    select rule.id
    from recharge_rule rule
    join recharge_transaction recharge on recharge.id = rule.last_recharge_id
    where rule.awaits_recharge and rule.due_at > now() and rule.status = 'active' and recharge.due_at is null
      and not exists (
        select
        from recharge_transaction delivery
        where delivery.collected_by = recharge.id and delivery.due_at is not null)),
  pulled as materialized (
    select rule.id
    from recharge_rule rule
    where rule.id in (select id from concerned order by id limit ${max}::int) and rule.due_at > now()
    order by rule.id
    for update skip locked)
  update recharge_rule rule
  set due_at = now() + interval '2 seconds'
  from pulled
  where rule.id = pulled.id
  returning rule.id`;
