export type {
  CallFacts,
  Capabilities,
  Order,
  OrderEvent,
  OrderStatus,
  Provider,
  ProviderEvent,
  QueryOutcome,
  Silence,
  SubmitOutcome,
  UnreadEvent,
  WebhookRefusal,
} from './contract/provider.js';
export type { BreakerLimits, BreakerState } from './guard/breaker.js';
export {
  type Attempt,
  type GuardedProvider,
  type GuardLimits,
  type GuardOptions,
  guard,
  type ProviderOperation,
} from './guard/guard.js';
export {
  openProviders,
  type PaymentMethod,
  type Providers,
  type ProvidersConfig,
  paymentMethods,
} from './registry.js';
export { sandboxProvider } from './sandbox/provider.js';
export { signingKeys, type Verified, verifySignature } from './transport/standard-webhooks.js';
