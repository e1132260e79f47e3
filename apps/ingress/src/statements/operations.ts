import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { readStatement, type StatementDeps } from './handlers.js';
import { StatementQuery } from './input.js';
import { Statement } from './schemas.js';

export const statements: readonly KeyedOperation<StatementDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/accounts/{accountId}/statements/{month}'],
    id: 'getStatement',
    tag: 'accounts',
    summary: "Read an account's statement of one month",
    description:
      'The available money of the account in one calendar month: the balance before it, each posting with the balance after it, the sum per kind, and the balance at its end. A month begins and ends at midnight in the time zone of the account. That is Asia/Shanghai where the payee is at Alibaba Cloud and UTC elsewhere, unless the operator has set another. A month before the first posting is empty. `text/csv` has the lines between a row `opening` and a row `closing`, and `text/html` is a page to print. `Accept-Language: zh` or `en` is the language of the texts. A long month is sent while it is read.',
    scope: 'balances:read',
    query: StatementQuery,
    answers: { 200: [{ Statement }, 'The statement'] },
    csv: true,
    page: true,
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: {
      UNAUTHORIZED: 'The key lacks the scope, does not cover the account, or is locked',
      NOT_FOUND: 'The month has not begun',
    },
    handle: readStatement,
  }),
];
