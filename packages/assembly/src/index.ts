export { destinationOf } from './destination.js';
export {
  callRow,
  newsOfQuery,
  newsOfSubmit,
  type OutcomeNews,
  type QueriedRecharge,
} from './outcome-news.js';
export { domainOptions, queueOptions } from './parts.js';
export { openProviderMetrics, type ProviderMetrics } from './provider-metrics.js';
export { openRecovery, type RecoveryDeps } from './recovery.js';
