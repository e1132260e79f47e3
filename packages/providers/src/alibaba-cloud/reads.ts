import type { NoDefiniteAnswer } from '../contract/order.js';
import { fromMajor } from './amounts.js';
import { meaningOfCode } from './codes.js';
import { type CloudAccess, type CloudRpc, configOf, failureOf, type RpcExchange } from './rpc.js';

/** The result of a question that moves nothing. */
export type ReadOutcome<Value> =
  | (Readonly<{ kind: 'read' }> & Value)
  | Readonly<{ kind: 'refused'; code: string; message: string; noSuchAccount?: true }>
  | NoDefiniteAnswer;

type Amount = Readonly<{ amountMinor: bigint; currency: string }>;
/** An amount with the cash in it. The rest is credit. Null: the answer does not tell the cash. */
type BalanceWithCash = Amount & Readonly<{ cashMinor: bigint | null }>;

/** The harmless reads of an account of Alibaba Cloud. */
export interface AccountReads {
  /** What the source account can transfer now. Claims are reserved against it. */
  transferable(
    source: Readonly<{ from: string | null; currency: string }>,
    signal: AbortSignal,
  ): Promise<ReadOutcome<Amount>>;
  /** The available amount of a fund account. `refused` without such an account, or without a right to read it. */
  available(fundAccountId: string, signal: AbortSignal): Promise<ReadOutcome<BalanceWithCash>>;
  /** The balance of the key's own cloud account, through the typed client. */
  balance(): Promise<ReadOutcome<BalanceWithCash>>;
}

export function openReads(
  rpc: CloudRpc,
  access: CloudAccess & Readonly<{ fundAccountId: string }>,
): Readonly<{ reads: AccountReads }> {
  const ask = (action: string, form: Record<string, string>, signal: AbortSignal) =>
    rpc.call({ version: '2023-09-30', action, form }, signal);
  return {
    reads: {
      async transferable({ from, currency }, signal) {
        const form = { FundAccountId: from ?? access.fundAccountId, Currency: currency };
        const exchange = await ask('GetFundAccountCanTransferAmount', form, signal);
        return amountIn(exchange, 'MaxTransferableAmount', currency);
      },
      async available(fundAccountId, signal) {
        const form = { FundAccountId: fundAccountId };
        const exchange = await ask('GetFundAccountAvailableAmount', form, signal);
        return balanceIn(exchange, 'CashAmount');
      },
      balance: () => accountBalance(access),
    },
  };
}

/** Reads an amount of an answer. An answer that names another currency than the asked one is not read. */
function amountIn(exchange: RpcExchange, field: string, currency: string | null): ReadOutcome<Amount> {
  if (exchange.kind === 'unanswered') return exchange.outcome;
  if (exchange.kind === 'refused') return refusalOf(exchange);
  const { [field]: text, Currency: named = currency } = exchange.json as Record<string, unknown>;
  if (typeof text !== 'string' || typeof named !== 'string') return unread;
  const amountMinor = fromMajor(text, named);
  if (amountMinor === null || (currency !== null && named !== currency)) return unread;
  return { kind: 'read', amountMinor, currency: named };
}

/**
 * Reads the available amount and the cash in it. If the cash cannot be read, the available amount is answered without
 * it.
 */
function balanceIn(exchange: RpcExchange, cashField: string): ReadOutcome<BalanceWithCash> {
  const available = amountIn(exchange, 'AvailableAmount', null);
  if (available.kind !== 'read') return available;
  const cash = amountIn(exchange, cashField, available.currency);
  return { ...available, cashMinor: cash.kind === 'read' ? cash.amountMinor : null };
}

const unread: NoDefiniteAnswer = { kind: 'unknown', cause: 'unreadable' };

function refusalOf(exchange: Extract<RpcExchange, { kind: 'refused' }>): ReadOutcome<never> {
  const meaning = meaningOfCode(exchange);
  if (meaning.kind !== 'rejected') return meaning;
  return { ...meaning, kind: 'refused', ...(meaning.code === 'AccountNotExist' && { noSuchAccount: true }) };
}

async function accountBalance(access: CloudAccess): Promise<ReadOutcome<BalanceWithCash>> {
  const [{ default: bss }, { default: core }] = await Promise.all([
    import('@alicloud/bssopenapi20171214'),
    import('@alicloud/openapi-core'),
  ]);
  try {
    const client = new bss.default(configOf(core.$OpenApiUtil, access));
    const { body } = await client.queryAccountBalance();
    if (body?.success !== true) {
      const refused = { status: 200, code: String(body?.code ?? ''), message: String(body?.message ?? '') };
      return refusalOf({ kind: 'refused', ...refused });
    }
    const { availableAmount, availableCashAmount, currency } = body.data ?? {};
    const json = { AvailableAmount: availableAmount, AvailableCashAmount: availableCashAmount };
    return balanceIn({ kind: 'answered', json: { ...json, Currency: currency } }, 'AvailableCashAmount');
  } catch (error) {
    const failure = failureOf(error);
    return balanceIn(failure, 'AvailableCashAmount');
  }
}
