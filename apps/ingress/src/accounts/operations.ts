import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type AccountDeps, balance, ledger } from './handlers.js';
import { BalanceQuery, LedgerQuery } from './input.js';
import { Balance, Ledger } from './schemas.js';

const FOREIGN = 'The key lacks the scope, does not cover the account, or is locked';

export const accounts: readonly KeyedOperation<AccountDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/account/balance'],
    id: 'getBalance',
    tag: 'accounts',
    summary: 'Read the balance of one account',
    description:
      'The balance per currency, and the newest entries of the ledger. An account that nothing was posted to has no rows. With `at`, both are those of all entries up to that time. Keys that allow it may sign this call in a shorter form.',
    scope: 'balances:read',
    s3: true,
    query: BalanceQuery,
    answers: { 200: [{ Balance }, 'The balance now, or at the time asked for'] },
    problems: KEYED_CALL,
    meanings: { UNAUTHORIZED: FOREIGN },
    handle: balance,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/accounts/{accountId}/ledger'],
    id: 'getLedger',
    tag: 'accounts',
    summary: "List an account's ledger entries, newest first",
    description: 'Each entry with the available balance after it. `text/csv` has the same rows.',
    scope: 'balances:read',
    query: LedgerQuery,
    answers: { 200: [{ Ledger }, 'A page of entries'] },
    csv: true,
    problems: KEYED_CALL,
    meanings: { UNAUTHORIZED: FOREIGN },
    handle: ledger,
  }),
];
