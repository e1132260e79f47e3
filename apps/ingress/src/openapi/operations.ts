import type { AccountDeps } from '../accounts/handlers.js';
import { accounts } from '../accounts/operations.js';
import type { AuditDeps } from '../audit/handlers.js';
import { audit } from '../audit/operations.js';
import type { CallbackRouteDeps } from '../callbacks/handlers.js';
import { callbacks } from '../callbacks/operations.js';
import type { CaseDeps } from '../cases/handlers.js';
import { cases } from '../cases/operations.js';
import type { EvidenceDeps } from '../evidence/handlers.js';
import { evidence } from '../evidence/operations.js';
import type { ExportDeps } from '../exports/handlers.js';
import { exports } from '../exports/operations.js';
import type { HealthDeps } from '../health/handlers.js';
import { health } from '../health/operations.js';
import type { KeyedOperation, OpenOperation, Operation } from '../http/operation.js';
import type { PayeeDeps } from '../payees/handlers.js';
import { payees } from '../payees/operations.js';
import type { PlanDeps } from '../plans/handlers.js';
import { plans } from '../plans/operations.js';
import type { ProofDeps } from '../proof/handlers.js';
import { proof } from '../proof/operations.js';
import type { RechargeDeps } from '../recharges/handlers.js';
import { recharges } from '../recharges/operations.js';
import type { ReconciliationDeps } from '../reconciliations/handlers.js';
import { reconciliations } from '../reconciliations/operations.js';
import type { RefundDeps } from '../refunds/handlers.js';
import { refunds } from '../refunds/operations.js';
import type { RuleDeps } from '../rules/handlers.js';
import { rules } from '../rules/operations.js';
import type { StatementDeps } from '../statements/handlers.js';
import { statements } from '../statements/operations.js';
import { webhooks } from '../webhooks/operations.js';
import { type ContractDeps, contract } from './contract.js';

/** Operations for callers with a key. */
export const keyedOperations: readonly KeyedOperation<
  RechargeDeps &
    EvidenceDeps &
    RefundDeps &
    AccountDeps &
    StatementDeps &
    PayeeDeps &
    CaseDeps &
    ReconciliationDeps &
    CallbackRouteDeps &
    ProofDeps &
    AuditDeps &
    RuleDeps &
    PlanDeps &
    ExportDeps
>[] = [
  ...recharges,
  ...evidence,
  ...refunds,
  ...accounts,
  ...statements,
  ...payees,
  ...cases,
  ...reconciliations,
  ...callbacks,
  ...proof,
  ...audit,
  ...rules,
  ...plans,
  ...exports,
];

/** Operations that need no key and have no body. */
export const publicOperations: readonly OpenOperation<HealthDeps & ContractDeps>[] = [...health, ...contract];

/** Every route of the ingress except the pages of its documentation. */
export const operations: readonly Operation[] = [...keyedOperations, ...webhooks, ...publicOperations];
