import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type PayeeDeps, readPayee, removePayee, setPayee } from './handlers.js';
import { PayeeInput } from './input.js';
import { Payee } from './schemas.js';

const paths = ['/v1/accounts/{accountId}/payee'];
const FOREIGN = 'The key lacks the scope, does not cover the account, or is locked';
const NONE = 'The account has no payee';

export const payees: readonly KeyedOperation<PayeeDeps>[] = [
  keyed({
    method: 'put',
    paths,
    id: 'setPayee',
    tag: 'accounts',
    summary: 'Say where the money of an account is delivered',
    description:
      'With a payee, recharges of the account go all the way to its cloud account unless they ask for `destination` `wallet`. Recharges under way keep the payee that they were made with. The same payee again changes nothing. `to` is looked up at the provider, where it has a read for that; an account that it does not know is refused.',
    scope: 'payees:write',
    body: {
      schema: { PayeeInput },
      example: { provider: 'alibaba_cloud', to: 'fa-customer-7', currency: 'CNY' },
      audited: {
        provider: 'provider',
        providerAccount: 'providerAccount',
        to: 'to',
        from: 'from',
        currency: 'currency',
        approvalAbove: 'approvalAbove',
      },
    },
    answers: { 200: [{ Payee }, 'The payee as it is now'] },
    problems: KEYED_CALL,
    meanings: { UNAUTHORIZED: FOREIGN },
    handle: setPayee,
  }),
  keyed({
    method: 'get',
    paths,
    id: 'getPayee',
    tag: 'accounts',
    summary: 'Read where the money of an account is delivered',
    description: 'The payee of the account.',
    scope: 'payees:read',
    answers: { 200: [{ Payee }, 'The payee'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { UNAUTHORIZED: FOREIGN, NOT_FOUND: NONE },
    handle: readPayee,
  }),
  keyed({
    method: 'delete',
    paths,
    id: 'removePayee',
    tag: 'accounts',
    summary: 'Keep the money of an account in its wallet',
    description: 'Removes the payee. Recharges under way keep the payee that they were made with.',
    scope: 'payees:write',
    answers: { 204: ['nothing', 'The account has no payee any more'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { UNAUTHORIZED: FOREIGN, NOT_FOUND: NONE },
    handle: removePayee,
  }),
];
