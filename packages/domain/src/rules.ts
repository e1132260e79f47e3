/** The rules for requests, for callers that check them before the store is opened. Loads neither Prisma nor pg. */
export {
  covers,
  isAccountPattern,
  isClientName,
  keyEnvironments,
} from './core/access/client-rules.js';
export { isOperatorName, mayAs, operatorRoles } from './core/access/operator-rules.js';
export { allows, readsAllClients, type Scope, scopes } from './core/access/scopes.js';
export { callbackTypes } from './core/callback.js';
export { hasCardNumber, withoutCardNumbers } from './core/card-number.js';
export {
  bookedExponentOf,
  currencies,
  exponentOf,
  mayBeBooked,
  whyNoCurrency,
} from './core/money/currencies.js';
export { AMOUNT_MINOR_MAX, majorFromMinor } from './core/money/money.js';
export { type MonthLineKind, monthLineKinds } from './core/money/month-line.js';
export { StatementAway } from './core/money/statement.js';
export { type Asked, nextStep } from './core/next-step.js';
export { newsOfOrder } from './core/order-news.js';
export { isAccountAtProvider } from './core/payee.js';
export { keyOfPlanLine, PLAN_LINES_MAX, planStatuses } from './core/plan.js';
export { isFinal } from './core/recharge.js';
export {
  addShownTexts,
  addTexts,
  type GivenTexts,
  type RequestTexts,
  requestTextNames,
  type ShownTexts,
} from './core/request-texts.js';
export { timeFromText } from './core/time/time-text.js';
export { isTimeZone } from './core/time/time-zone.js';
export {
  type Unfinished,
  waitingReasonOf,
  waitingReasonOfDelivery,
  waitingReasons,
} from './core/waiting/waiting.js';
export { BULK_MAX } from './store/bulk/bulk.js';
export { addressTest } from './store/clients/addresses.js';
export { checkEvidence, type EvidenceCheck, evidenceFrom } from './store/evidence/check.js';
export type { EvidencePack } from './store/evidence/pack.js';
