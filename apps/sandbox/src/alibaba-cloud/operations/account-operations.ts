import { showMajor } from '../amounts.js';
import { enveloped, gatewayError, type RpcParams, type RpcReply } from '../answers.js';
import { chinaTime } from '../times.js';
import { availableIn, bookOf, type FundAccounts, SOURCE_ACCOUNT } from './fund-accounts.js';

/** QueryAccountBalance: the balance of the caller's own account, in its first currency. */
export function accountBalance(accounts: FundAccounts): RpcReply {
  const account = accounts.get(SOURCE_ACCOUNT);
  if (!account) return gatewayError(400, 'NotApplicable', 'The account has no balance.');
  const [currency = 'CNY'] = Object.keys(account.books);
  const book = bookOf(account, currency);
  const cash = showMajor(book.cash, currency);
  const zero = showMajor(0n, currency);
  return enveloped(
    {
      ...{ AvailableAmount: showMajor(availableIn(book), currency), AvailableCashAmount: cash },
      ...{ CreditAmount: showMajor(book.credit ?? 0n, currency), Currency: currency },
      ...{ MybankCreditAmount: zero, QuotaLimit: zero },
    },
    '200',
  );
}

const flows: Readonly<Record<string, string>> = { IN: 'Income', OUT: 'Expense' };
const DAY_MS = 86_400_000;
const PAGE_SIZE_MAX = 100;

/**
 * QueryAccountTransactions: the older list of the caller's own account. The answer has the list inside an object of the
 * same name.
 */
export function accountTransactions(accounts: FundAccounts, params: RpcParams, nowMs: number): RpcReply {
  const [page, size] = [Number(params.get('PageNum') ?? 1), Number(params.get('PageSize') ?? 20)];
  const startMs = timeOf(params.get('CreateTimeStart'), nowMs - 30 * DAY_MS);
  const endMs = timeOf(params.get('CreateTimeEnd'), nowMs);
  if (!(page >= 1 && size >= 1 && size <= PAGE_SIZE_MAX) || Number.isNaN(startMs + endMs))
    return gatewayError(400, 'InvalidParameter', 'A parameter is invalid.');
  const [type, flow] = [params.get('TransactionType'), params.get('TransactionFlow')];
  const rows = accounts
    .lines({ accountId: SOURCE_ACCOUNT, startMs, endMs }, nowMs)
    .filter(() => type === undefined || type === 'Transfer')
    .filter((line) => flow === undefined || flows[line.direction] === flow);
  const shown = rows.slice((page - 1) * size, page * size).map((line) => ({
    ...{ TransactionNumber: line.number, TransactionType: 'Transfer', RecordID: line.number },
    ...{ TransactionFlow: flows[line.direction], TransactionChannel: 'AccountBalance', FundType: 'Cash' },
    ...{ Amount: showMajor(line.amount, line.currency), Balance: showMajor(line.balance, line.currency) },
    ...{ TransactionTime: chinaTime(line.atMs), Remarks: line.remark },
    BillingCycle: chinaTime(line.atMs).slice(0, 7),
  }));
  return enveloped({
    ...{ PageNum: page, PageSize: size, TotalCount: rows.length, AccountName: SOURCE_ACCOUNT },
    AccountTransactionsList: { AccountTransactionsList: shown },
  });
}

const timeOf = (text: string | undefined, otherwiseMs: number): number =>
  text === undefined ? otherwiseMs : Date.parse(text);
