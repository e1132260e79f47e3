export { caseBody } from './answers/case.js';
export { eventBody } from './answers/event.js';
export {
  isWholeFinal,
  type OwnSources,
  rechargeBody,
  refundBody,
  type Status,
  statusOf,
  timelineBody,
  wholeStatusOf,
} from './answers/recharge.js';
export { type WaitingBody, waitingBody } from './answers/waits-for.js';
export { type BreakerReportDeps, openBreakerReports } from './breaker-reports.js';
export { openClockGauge } from './clock-gauge.js';
export { hintingDeliveries } from './deliveries.js';
export { askedId, type BulkItems, casesToDismiss, rechargesToAsk } from './desk/bulk-items.js';
export { evidencePage, evidenceStyle } from './evidence-page.js';
export { domainOptions, queueOptions } from './parts.js';
export { amountIn } from './plan-file/amount.js';
export { type PlanRows, planRows } from './plan-file/csv.js';
export { type PlanJson, planJson } from './plan-file/json.js';
export {
  type CheckedLines,
  checkedLines,
  type LineRules,
  type PlanFault,
  planColumnNames,
} from './plan-file/lines.js';
export { canaryRefusals, type LineRefusal, rechargeOfLine, refusalOf } from './plans/line-recharge.js';
export { type PlanRunner, type PlanRunnerDeps, runPlans } from './plans/run-plans.js';
export { openPoolReader, POOL_EVERY_MS, POOL_READ_WITHIN_MS, type PoolReaderDeps } from './pool-reader.js';
export { openProviderMetrics, type ProviderMetrics } from './provider-metrics.js';
export { destinationOf } from './recharges/destination.js';
export {
  callRow,
  newsOfCancel,
  newsOfQuery,
  newsOfSubmit,
  type OutcomeNews,
  type QueriedRecharge,
} from './recharges/outcome-news.js';
export {
  type RechargeSort,
  type SortingProviders,
  type SortRefusal,
  sortOfRecharge,
} from './recharges/recharge-sort.js';
export { soughtRefund } from './recharges/refund-order.js';
export { openRecovery, type RecoveryDeps } from './recovery.js';
export { StatementFault, statementLines } from './statement-file.js';
export { reconciliationBody, runBody } from './statements/body.js';
export { openRunner, type RunnerDeps } from './statements/carry-out.js';
export { providerLines } from './statements/provider-lines.js';
export { linkToRequest } from './trace-links.js';
