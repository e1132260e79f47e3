import { type GatewayError, gatewayError, type RpcParams, type RpcReply } from '../answers.js';
import type { RpcCall } from '../signature.js';
import type { CloudStore } from '../store.js';
import { accountBalance, accountTransactions } from './account-operations.js';
import { creditInfo, deductionHistory, deductOutstanding, setCreditLine } from './agency.js';
import { type FundAccounts, SOURCE_ACCOUNT } from './fund-accounts.js';
import { availableQuota, changeConsumeAmount } from './reseller.js';
import {
  availableAmount,
  canRecycleAmount,
  canTransferAmount,
  createTransfer,
  listAccounts,
  transactionDetails,
} from './transfer-operations.js';

export type CloudContext = Readonly<{
  store: CloudStore;
  accounts: FundAccounts;
  nowMs: number;
  visibleAfterMs: number;
}>;

type RunOperation = (context: CloudContext, params: RpcParams) => Promise<RpcReply> | RpcReply;

/** An operation. `writesTo` names the parameter with the receiver of money, `lists` the one with the listed account. */
export type CloudOperation = Readonly<{ run: RunOperation; writesTo?: string; lists?: string }>;

const FUND = '2023-09-30';
const BSS = '2017-12-14';
const AGENCY = '2022-12-16';

const operations: Readonly<Record<string, CloudOperation>> = {
  [`${FUND} CreateFundAccountTransfer`]: {
    writesTo: 'ToFundAccountId',
    run: ({ accounts, nowMs, visibleAfterMs }, params) =>
      createTransfer(accounts, params, { nowMs, visibleAfterMs }),
  },
  [`${FUND} GetFundAccountTransactionDetails`]: {
    lists: 'FundAccountId',
    run: ({ accounts, nowMs }, params) => transactionDetails(accounts, params, nowMs),
  },
  [`${FUND} GetFundAccountAvailableAmount`]: {
    run: ({ accounts }, params) => availableAmount(accounts, params),
  },
  [`${FUND} GetFundAccountCanTransferAmount`]: {
    run: ({ accounts }, params) => canTransferAmount(accounts, params),
  },
  [`${FUND} GetFundAccountCanRecycleAmount`]: {
    run: ({ accounts }, params) => canRecycleAmount(accounts, params),
  },
  [`${FUND} ListFundAccount`]: { run: ({ accounts }) => listAccounts(accounts) },
  [`${BSS} QueryAccountBalance`]: { run: ({ accounts }) => accountBalance(accounts) },
  [`${BSS} QueryAccountTransactions`]: {
    lists: 'FundAccountId',
    run: ({ accounts, nowMs }, params) => accountTransactions(accounts, params, nowMs),
  },
  [`${BSS} ChangeResellerConsumeAmount`]: {
    writesTo: 'OwnerId',
    run: ({ store, nowMs }, params) => changeConsumeAmount(store, params, nowMs),
  },
  [`${BSS} QueryResellerAvailableQuota`]: { run: ({ store }, params) => availableQuota(store, params) },
  [`${AGENCY} DeductOutstandingBalance`]: {
    writesTo: 'Uid',
    run: ({ store, nowMs, visibleAfterMs }, params) =>
      deductOutstanding(store, params, { nowMs, visibleAfterMs }),
  },
  [`${AGENCY} SetCreditLine`]: { writesTo: 'Uid', run: ({ store }, params) => setCreditLine(store, params) },
  [`${AGENCY} GetCreditInfo`]: { run: ({ store }, params) => creditInfo(store, params) },
  [`${AGENCY} QueryReversedDeductionHistory`]: {
    lists: 'Uid',
    run: ({ store, accounts, nowMs }, params) =>
      deductionHistory(store, params, nowMs + accounts.visibilityAheadMs),
  },
};

export const operationOf = ({ version, action }: RpcCall): CloudOperation | GatewayError =>
  operations[`${version} ${action}`] ??
  gatewayError(
    404,
    'InvalidAction.NotFound',
    'Specified api is not found, please check your url and method.',
  );

/** The receiver of money, or the account whose list is read. */
export const subjectOf = ({ writesTo, lists }: CloudOperation, params: RpcParams): string =>
  params.get(writesTo ?? lists ?? '') ?? SOURCE_ACCOUNT;
