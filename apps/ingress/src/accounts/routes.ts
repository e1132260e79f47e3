import type { Domain, Key, WalletEntry } from '@replenish/domain';
import type { Scope } from '@replenish/domain/rules';
import type { IRouter, Request, Response } from 'express';
import { z } from 'zod';
import { requireAccount } from '../auth/refusals.js';
import { answer, exactJson, preferredForm } from '../http/answer.js';
import { sendCsv } from '../http/csv.js';
import { otherMethods } from '../http/methods.js';
import { addHeader } from '../http/send.js';
import { accountId, bookedCurrency, optionalTime, pageLimit, timestamp, validated } from '../input/fields.js';
import { readQuery } from '../input/query.js';

export type AccountDeps = Readonly<{
  balances: Domain['balances'];
  caller: (request: Request, scope: Scope) => Promise<Key>;
}>;

const HISTORY = 20;

export const BalanceQuery = z.strictObject({
  accountId,
  currency: bookedCurrency.optional().meta({ description: 'Only this currency' }),
});

export const LedgerQuery = z.strictObject({
  currency: bookedCurrency.optional().meta({ description: 'Only this currency' }),
  from: timestamp.optional().meta({ description: 'Only posted at this time or later (RFC 3339)' }),
  to: timestamp.optional().meta({ description: 'Only posted before this time (RFC 3339)' }),
  limit: pageLimit(50),
  cursor: z
    .string()
    .regex(/^[1-9]\d{0,17}$/, 'must be the nextCursor of an earlier page')
    .optional()
    .meta({ description: 'The `nextCursor` of the page before; leave it out for the first page' }),
});

export function addAccountRoutes(router: IRouter, deps: AccountDeps): void {
  router
    .route('/v1/account/balance')
    .get((request, response) => balance(deps, request, response))
    .all(otherMethods);
  router
    .route('/v1/accounts/:accountId/ledger')
    .get((request, response) => ledger(deps, request, response))
    .all(otherMethods);
}

async function balance(deps: AccountDeps, request: Request, response: Response): Promise<void> {
  const key = await deps.caller(request, 'balances:read');
  const query = readQuery(BalanceQuery, request);
  requireAccount(key, query.accountId);
  const { balances, entries, asOf } = await deps.balances.statement({
    accountId: query.accountId,
    currency: query.currency,
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

async function ledger(deps: AccountDeps, request: Request, response: Response): Promise<void> {
  const key = await deps.caller(request, 'balances:read');
  const account = validated(accountId, request.params.accountId, 'accountId');
  requireAccount(key, account);
  const query = readQuery(LedgerQuery, request);
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
