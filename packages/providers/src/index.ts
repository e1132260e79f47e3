export { type AgencyOptions, agencyRail } from './alibaba-cloud/rails/agency.js';
export { type FundAccountOptions, fundAccountRail } from './alibaba-cloud/rails/fund-account.js';
export { resellerQuotaRail } from './alibaba-cloud/rails/reseller-quota.js';
export { type AlipayOptions, alipayProvider } from './alipay/provider.js';
export type { BalanceOutcome, BalanceReads } from './contract/balance.js';
export type { CancelOutcome, Cancels, RefundOrder, Refunds, SoughtRefund } from './contract/collect.js';
export type {
  Destination,
  NoDefiniteAnswer,
  Order,
  OrderStatus,
  PayerAction,
  QueryOutcome,
  ScanEvidence,
  SoughtOrder,
  SubmitOutcome,
  SubmitTimes,
} from './contract/order.js';
export type { CollectProvider, OrderPromises, ProofOfAbsence, Provider } from './contract/provider.js';
export type {
  ProviderLine,
  StatementOutcome,
  StatementPageAsk,
  StatementReads,
} from './contract/statement.js';
export type { OrderEvent, ProviderEvent, UnreadEvent, WebhookRefusal, Webhooks } from './contract/webhook.js';
export { type PaymentMethod, paymentMethods } from './definition.js';
export { deliveringProviders, keptSource, lanedProviders } from './delivering.js';
export type { Attempt } from './guard/attempt.js';
export type { Guarded, GuardedProvider, GuardedRefunds } from './guard/guarded-provider.js';
export { MAIN_ACCOUNT } from './guard/main-account.js';
export { openProviders, type Providers } from './registry.js';
export { type SandboxOptions, sandboxProvider } from './sandbox/provider.js';
export { type StripeOptions, stripeProvider } from './stripe/provider.js';
export { type TerminalDecline, terminalDeclines } from './terminal-declines.js';
export { withProvidersClock } from './transport/date-headers.js';
export { type ReceivedWebhook, receiveWebhook } from './webhook-account.js';
