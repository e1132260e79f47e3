import type { Domain, WalletEntry } from '@replenish/domain';
import type { z } from 'zod';
import { requireAccount } from '../auth/refusals.js';
import { answer, exactJson, preferredForm } from '../http/answers/answer.js';
import { sendCsv } from '../http/answers/csv.js';
import { addHeader } from '../http/answers/send.js';
import type { KeyedCall } from '../http/operation.js';
import { accountId, optionalTime, validated } from '../input/fields.js';
import type { BalanceQuery, LedgerQuery } from './input.js';

export type AccountDeps = Readonly<{ balances: Domain['balances'] }>;

const HISTORY = 20;

export async function balance(
  deps: AccountDeps,
  call: KeyedCall<z.infer<typeof BalanceQuery>>,
): Promise<void> {
  const { request, response, key } = call;
  const query = call.query();
  requireAccount(key, query.accountId);
  const { balances, entries, asOf } = await deps.balances.statement({
    accountId: query.accountId,
    currency: query.currency,
    at: optionalTime(query.at),
    limit: HISTORY,
  });
  const body = {
    accountId: query.accountId,
    balances: balances.map((b) => ({
      currency: b.currency,
      available: b.availableMinor,
      frozen: b.frozenMinor,
      total: b.availableMinor + b.frozenMinor,
    })),
    history: entries.map(entryBody),
    asOf,
  };
  answer(request, response, 'balance', body, { json: exactJson });
}

export async function ledger(deps: AccountDeps, call: KeyedCall<z.infer<typeof LedgerQuery>>): Promise<void> {
  const { request, response, key } = call;
  const account = validated(accountId, request.params.accountId, 'accountId');
  requireAccount(key, account);
  const query = call.query();
  const rows = await deps.balances.entries({
    accountId: account,
    limit: query.limit + 1,
    currency: query.currency,
    from: optionalTime(query.from),
    to: optionalTime(query.to),
    beforeId: query.cursor === undefined ? undefined : BigInt(query.cursor),
  });
  const page = rows.slice(0, query.limit).map(entryBody);
  const nextCursor = rows.length > query.limit ? page.at(-1)!.entryId : null;
  if (preferredForm(request, { csv: true }) !== 'csv')
    return answer(request, response, 'ledger', { data: page, nextCursor }, { json: exactJson });
  if (nextCursor) addHeader(response, 'x-next-cursor', nextCursor);
  sendCsv(response, `ledger-${account}.csv`, entryColumns, page);
}

const entryBody = (e: WalletEntry) => ({
  entryId: e.id.toString(),
  at: e.at,
  transactionId: e.transactionId,
  slot: e.slot,
  amount: e.amountMinor,
  currency: e.currency,
  balance: e.balanceMinor,
  counterparty: e.counterparty,
});

const entryColumns = [
  'entryId',
  'at',
  'transactionId',
  'slot',
  'amount',
  'currency',
  'balance',
  'counterparty',
] as const;
