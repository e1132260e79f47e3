import type { Run } from '../database/database.js';
import { type AccountPage, type AccountPlace, accountPage } from './accounts.js';
import { type ActionView, operatorActions, type SecurityEventView, securityEvents } from './actions.js';
import {
  type ClientDelivery,
  type ClientDeliveryPage,
  type DeliveriesAsk,
  deliveriesOfAll,
  deliveryOfAny,
  type EndpointHealth,
  endpointsHealth,
} from './callbacks.js';
import { type ConsoleFilter, type ConsolePage, consolePage } from './list.js';
import {
  type AgedRisk,
  agedRisks,
  type EventBacklog,
  eventBacklog,
  type RecentWork,
  recentWork,
} from './overview.js';
import { type ProviderState, providerState } from './providers.js';
import { type CallView, callsOf, type EventView, eventsOf } from './recharge-parts.js';
import { type ConsoleHit, findAnything } from './search.js';

/**
 * The reads of the operators' console that no other interface has. Every read is bounded, whatever the size of the
 * books, and sees the rows of all clients.
 */
export interface ConsoleReads {
  /** The money of the oldest unfinished recharges, by reason, age and currency. The same rows as `waitingSums`. */
  agedRisks(): Promise<AgedRisk[]>;
  /** What became of the newest recharges, RECENT_MAX at most. */
  recentWork(): Promise<RecentWork>;
  /** The provider events that are stored and not processed. */
  eventBacklog(): Promise<EventBacklog>;
  /** The recharges and cases that a number or a name of any origin may stand for. */
  find(text: string, providers: readonly string[]): Promise<ConsoleHit[]>;
  list(filter: ConsoleFilter): Promise<ConsolePage>;
  /** The calls to the provider about a recharge, oldest first. */
  callsOf(transactionId: string): Promise<CallView[]>;
  /** The provider's events about a recharge, oldest first. */
  eventsOf(transactionId: string): Promise<EventView[]>;
  /** Accounts with a wallet, in the order of their names. */
  accounts(after: AccountPlace | null, limit: number): Promise<AccountPage>;
  providers(): Promise<ProviderState>;
  /** What people decided, newest first. */
  actions(beforeId: string | null, limit: number): Promise<ActionView[]>;
  /** Breaches of security rules, newest first. */
  securityEvents(beforeId: bigint | null, limit: number): Promise<SecurityEventView[]>;
  /** The endpoints of all clients, those that are disabled first. */
  callbackEndpoints(limit: number): Promise<EndpointHealth[]>;
  /** The deliveries to all clients, newest first. */
  callbackDeliveries(filter: DeliveriesAsk): Promise<ClientDeliveryPage>;
  callbackDelivery(id: string): Promise<ClientDelivery | null>;
}

/** @param read separate connections, so that no page delays money */
export const openConsole = (read: Run): ConsoleReads => ({
  agedRisks: () => agedRisks(read),
  recentWork: () => recentWork(read),
  eventBacklog: () => eventBacklog(read),
  find: (text, providers) => findAnything(read, text, providers),
  list: (filter) => consolePage(read, filter),
  callsOf: (id) => callsOf(read, id),
  eventsOf: (id) => eventsOf(read, id),
  accounts: (after, limit) => accountPage(read, after, limit),
  providers: () => providerState(read),
  actions: (beforeId, limit) => operatorActions(read, beforeId, limit),
  securityEvents: (beforeId, limit) => securityEvents(read, beforeId, limit),
  callbackEndpoints: (limit) => endpointsHealth(read, limit),
  callbackDeliveries: (asked) => deliveriesOfAll(read, asked),
  callbackDelivery: (id) => deliveryOfAny(read, id),
});
