import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { createRefund, listRefunds, type RefundDeps } from './handlers.js';
import { RefundInput } from './input.js';
import { Refund, Refunds } from './schemas.js';

const paths = ['/v1/recharges/{id}/refunds'];
const NOT_FOUND = 'The client of the key has no recharge with this id, or the key does not cover its account';

export const refunds: readonly KeyedOperation<RefundDeps>[] = [
  keyed({
    method: 'post',
    paths,
    id: 'createRefund',
    tag: 'recharges',
    summary: 'Refund a recharge, in whole or in part',
    description:
      'Pays collected money back to its payer, or brings delivered money back. A refund is a transaction of its own: read it by its own id. The refunds of a recharge never exceed it. After a timeout or a 5xx, repeat the request with the same idempotency key: it stays one refund.',
    scope: 'refunds:write',
    idempotencyKey: 'needed',
    body: {
      schema: { RefundInput },
      example: { amount: 1000, reason: 'ordered twice' },
      audited: { amount: 'amount', reason: 'reason' },
    },
    answers: {
      200: [{ Refund }, 'The key was used before with the same request: the refund as it is now'],
      202: [{ Refund }, 'The refund is stored and will be carried out'],
    },
    headers: { 200: ['Location', 'Idempotent-Replayed'], 202: ['Location'] },
    problems: [...KEYED_CALL, 'NOT_FOUND', 'INVALID_STATE', 'DUPLICATE_REQUEST', 'INSUFFICIENT_BALANCE'],
    meanings: {
      NOT_FOUND,
      INVALID_STATE:
        'The recharge has not succeeded or is a refund, nothing of it is left, or its provider does not offer refunds',
      DUPLICATE_REQUEST: 'The idempotency key was used with another request',
      INSUFFICIENT_BALANCE: 'The wallet of the account no longer holds the money',
    },
    handle: createRefund,
  }),
  keyed({
    method: 'get',
    paths,
    id: 'listRefunds',
    tag: 'recharges',
    summary: 'List the refunds of one recharge, newest first',
    description: 'The newest 1,000 refunds, also those that failed or were canceled.',
    scope: 'recharges:read',
    answers: { 200: [{ Refunds }, 'The refunds'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: listRefunds,
  }),
];
