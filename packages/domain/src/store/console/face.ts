/** The types of the console's reads that the package exports. */
export type { BalanceChange, CasePreview } from '../cases/preview.js';
export type { AccountPage, AccountPlace, AccountRow } from './accounts.js';
export type { ActionView, SecurityEventView } from './actions.js';
export type { ClientDelivery, EndpointHealth } from './callbacks.js';
export type { ConsoleReads } from './console.js';
export type { ConsoleFilter, ConsolePage } from './list.js';
export {
  type AgedRisk,
  EVENTS_COUNTED_MAX,
  type EventBacklog,
  RECENT_MAX,
  type RecentWork,
  riskAgesS,
} from './overview.js';
export type { CallSummary, PoolLevel, ProviderState, ToldBreaker } from './providers.js';
export type { CallView, EventView } from './recharge-parts.js';
export type { ConsoleHit, HitKind } from './search.js';
