/** Rules of automatic recharge, as a part of the package's public interface. */
export type { BackTest } from './core/rules/rule-back-test.js';
export {
  type CapLimits,
  type CapReason,
  capReasons,
  isCapReason,
  type WiderLimits,
} from './core/rules/rule-caps.js';
export {
  type DecisionReason,
  decisionReasons,
  type PauseReason,
  pauseReasons,
  type RuleDecision,
} from './core/rules/rule-decision.js';
export {
  type BalanceFigure,
  balanceFigures,
  faultsOfTerms,
  type QuietHours,
  type RuleCaps,
  type RuleMode,
  type RuleTerms,
  ruleModes,
} from './core/rules/rule-terms.js';
export type { Widening } from './core/rules/rule-widening.js';
export {
  type Notice,
  type NoticeChannel,
  type NoticeKind,
  type NoticeResult,
  type Notices,
  noticeChannels,
  noticeKinds,
} from './store/notices/notices.js';
export type { ChangedRule, Resumer, RuleChange } from './store/rules/change.js';
export type { CreatedRule, RuleProblem } from './store/rules/create.js';
export type { Decisions, RuleFilter, RulePage, RuleViewer } from './store/rules/list.js';
export type { LookResult, RouteOfMethod } from './store/rules/look/look.js';
export type { WatchedAccount, WatchedBalance, WatchedBalances } from './store/rules/look/readings.js';
export type { RulePreview } from './store/rules/preview.js';
export type {
  FiledDecision,
  NewRule,
  RuleForecast,
  RuleRechargeForm,
  RuleStatus,
  RuleView,
  RuleWaiting,
  RuleWatch,
} from './store/rules/rule.js';
export type { RuleStop, Rules } from './store/rules/rules.js';
