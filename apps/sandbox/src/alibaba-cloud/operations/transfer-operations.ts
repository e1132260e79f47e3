import { isCurrency, readMajor, showMajor } from '../amounts.js';
import { type GatewayError, gatewayError, given, int64, type RpcParams, type RpcReply } from '../answers.js';
import type { FundAccount, FundLine } from '../store.js';
import { chinaTime } from '../times.js';
import {
  availableIn,
  bookOf,
  type FundAccounts,
  SOURCE_ACCOUNT,
  type TransferRefusal,
  transferable,
} from './fund-accounts.js';

const needed = [
  ...['FromFundAccountId', 'ToFundAccountId', 'Amount', 'Currency'],
  ...['FinanceType', 'TransferType', 'Remark'],
] as const;

const refusals: Record<TransferRefusal, string> = {
  AccountNotExist: 'The fund account does not exist.',
  NoFundAccountPermission: 'You have no permission on the fund account.',
  AvailableTransferAmountNotEnough: 'The available transfer amount is not enough.',
};

export const refusal = (code: TransferRefusal): GatewayError => gatewayError(400, code, refusals[code]);

const invalid = (name: string): GatewayError =>
  gatewayError(400, 'InvalidParameter', `The parameter ${name} is invalid.`);

/** CreateFundAccountTransfer: it has no key and answers no id. */
export async function createTransfer(
  accounts: FundAccounts,
  params: RpcParams,
  { nowMs, visibleAfterMs }: Readonly<{ nowMs: number; visibleAfterMs: number }>,
): Promise<RpcReply> {
  const missing = needed.find((name) => !params.get(name));
  if (missing) return gatewayError(400, 'MissingParameter', `The parameter ${missing} is mandatory.`);
  const of = (name: (typeof needed)[number]) => params.get(name) ?? '';
  const [from, to, currency, kind] = [
    of('FromFundAccountId'),
    of('ToFundAccountId'),
    of('Currency'),
    of('TransferType'),
  ];
  if (!isCurrency(currency)) return invalid('Currency');
  const amount = readMajor(of('Amount'), currency);
  if (amount === null) return invalid('Amount');
  if (of('FinanceType') !== 'cash') return invalid('FinanceType');
  if (kind !== 'grant' && kind !== 'recycle') return invalid('TransferType');
  if (from === to) return invalid('ToFundAccountId');
  const command = { from, to, amount, currency, kind, remark: of('Remark') } as const;
  const result = await accounts.transfer(command, nowMs, visibleAfterMs);
  return typeof result === 'string' ? refusal(result) : given({});
}

const PAGE_SIZE_MAX = 200;
const OFFSET_MAX = 10_000;
const DAY_MS = 86_400_000;

/** GetFundAccountTransactionDetails: numbered pages of the visible rows, newest first. There is no filter by remark. */
export function transactionDetails(accounts: FundAccounts, params: RpcParams, nowMs: number): RpcReply {
  const account = accounts.get(params.get('FundAccountId') ?? SOURCE_ACCOUNT);
  if (!account?.isReadable) return refusal('NoFundAccountPermission');
  const [page, size] = [Number(params.get('CurrentPage') ?? 1), Number(params.get('PageSize') ?? 20)];
  const [startMs, endMs] = [
    Number(params.get('StartTime') ?? nowMs - 30 * DAY_MS),
    Number(params.get('EndTime') ?? nowMs),
  ];
  if (!(Number.isInteger(page) && page >= 1)) return invalid('CurrentPage');
  if (!(Number.isInteger(size) && size >= 1 && size <= PAGE_SIZE_MAX)) return invalid('PageSize');
  if (!Number.isInteger(startMs) || !Number.isInteger(endMs)) return invalid('StartTime');
  if (page * size > OFFSET_MAX) return gatewayError(400, 'MaxOffsetLimit', 'The offset is too large.');
  const filter = {
    ...{ accountId: account.id, startMs, endMs },
    direction: params.get('TransactionDirection'),
    type: params.get('TransactionType'),
    number: params.get('TransactionNumber'),
  };
  const lines = accounts.lines(filter, nowMs);
  return given({
    CurrentPage: page,
    PageSize: size,
    TotalCount: lines.length,
    Data: lines.slice((page - 1) * size, page * size).map((line) => showLine(account, line)),
  });
}

const showLine = (account: FundAccount, line: FundLine) => ({
  TransactionNumber: int64(line.number),
  TransactionType: 'TRANSFER',
  TransactionDirection: line.direction,
  TransactionChannel: 'ACCT_CASH',
  TransactionAccount: masked(line.peer),
  TransactionAmount: showMajor(line.amount, line.currency),
  Balance: showMajor(line.balance, line.currency),
  Currency: line.currency,
  TransactionTime: chinaTime(line.atMs),
  Remark: line.remark,
  FundType: 'ACCT_BOOK',
  FundAccountId: int64(account.id),
  FundAccountName: account.id,
  FundAccountOwnerAccountId: int64(account.owner),
  Site: 'china',
  Nbid: '26842',
});

/** The other account of a line is shown with its middle hidden. */
const masked = (id: string): string => `${id.slice(0, 2)}***${id.slice(-2)}`;

export function availableAmount(accounts: FundAccounts, params: RpcParams): RpcReply {
  const account = accounts.get(params.get('FundAccountId') ?? SOURCE_ACCOUNT);
  if (!account) return refusal('AccountNotExist');
  const [first = 'CNY'] = Object.keys(account.books);
  const book = bookOf(account, first);
  const cash = showMajor(book.cash, first);
  const credit = showMajor(book.credit ?? 0n, first);
  const zero = showMajor(0n, first);
  return given({
    ...{ FundAccountId: int64(account.id), FundAccountOwnerAccountId: int64(account.owner) },
    ...{
      FundAccountStatus: account.status,
      FundAccountType: 'DIRECT_USER',
      Currency: first,
      CreditUser: (book.credit ?? 0n) > 0n,
    },
    ...{ AvailableAmount: showMajor(availableIn(book), first), CashAmount: cash, CreditAmount: credit },
    ...{
      AvailableCreditAmount: credit,
      NegativeBillAmount: zero,
      CreditRefundAmount: zero,
      UnclearedAmount: zero,
      QuotaAmount: zero,
    },
    OriginalCashAmountList: Object.keys(account.books).map((currency) => ({
      Amount: showMajor(bookOf(account, currency).cash, currency),
      Currency: currency,
    })),
  });
}

export function canTransferAmount(accounts: FundAccounts, params: RpcParams): RpcReply {
  const account = accounts.get(params.get('FundAccountId') ?? SOURCE_ACCOUNT);
  const currency = params.get('Currency') ?? '';
  if (!account) return refusal('NoFundAccountPermission');
  if (!isCurrency(currency)) return invalid('Currency');
  const { cash, transferredIn } = bookOf(account, currency);
  return given({
    Currency: currency,
    MaxTransferableAmount: showMajor(transferable(account, currency), currency),
    CashAmount: showMajor(cash, currency),
    TransferAmount: showMajor(transferredIn, currency),
    AvailableAmount: showMajor(availableIn(bookOf(account, currency)), currency),
  });
}

export function canRecycleAmount(accounts: FundAccounts, params: RpcParams): RpcReply {
  const from = accounts.get(params.get('RecycleFromFundAccountId') ?? '');
  const currency = params.get('Currency') ?? '';
  if (!from) return refusal('NoFundAccountPermission');
  if (!isCurrency(currency)) return invalid('Currency');
  const list = accounts
    .list()
    .map(({ id }) => ({ id, amount: accounts.recyclable(from, id, currency) }))
    .filter(({ amount }) => amount > 0n)
    .map(({ id, amount }) => {
      const shown = showMajor(amount, currency);
      return { FundAccountId: int64(id), MaxRecyclableAmount: shown, OriginalTransferRemainAmount: shown };
    });
  return given({ Currency: currency, RecycleToFundAccountList: list });
}

export const listAccounts = (accounts: FundAccounts): RpcReply =>
  given({
    Data: accounts.list().map(({ id, owner, status }) => ({
      ...{ FundAccountId: int64(id), FundAccountOwnerAccountId: int64(owner), FundAccountName: id },
      ...{ FundAccountType: 'DIRECT_USER', FundAccountStatus: status },
      Permissions: id === SOURCE_ACCOUNT ? ['owner', 'using', 'manage'] : ['manage'],
    })),
  });
