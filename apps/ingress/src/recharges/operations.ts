import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { DryRun } from './dry-run-schema.js';
import { cancel, charge, create, list, type RechargeDeps, read, timeline } from './handlers.js';
import { ChargeInput, CreateQuery, ListQuery, RechargeInput } from './input.js';
import { recheck } from './recheck.js';
import { Charge, Recharge, Recharges, Timeline } from './schemas.js';

const WRITTEN = [...KEYED_CALL, 'DUPLICATE_REQUEST', 'INSUFFICIENT_BALANCE'] as const;

const READING = {
  NOT_FOUND: 'The client of the key has no recharge with this id, or the key does not cover its account',
};
const WRITING = {
  DUPLICATE_REQUEST: 'The idempotency key was used with another account, amount, currency or other field',
  INSUFFICIENT_BALANCE: 'The recharge is paid from the balance, and the available balance does not cover it',
  UNAUTHORIZED:
    'The key lacks the scope, does not cover the account, is locked, or the amount is above its ceiling',
};

const rechargeExample = {
  accountId: 'acct-1001',
  amount: 4999,
  currency: 'USD',
  paymentMethod: 'sandbox',
  orderReference: 'PO-7',
  metadata: { team: 'billing' },
};

export const recharges: readonly KeyedOperation<RechargeDeps>[] = [
  keyed({
    method: 'post',
    paths: ['/v1/recharges', '/recharge'],
    id: 'createRecharge',
    tag: 'recharges',
    summary: 'Create a recharge',
    aliasSummaries: ['Create a recharge (other name of POST /v1/recharges)'],
    description:
      'Stores a recharge and sends it to the provider. After a timeout, a broken connection or a 5xx, repeat the request with the same idempotency key: it stays one recharge. The events of the recharge are posted to its `callbackUrl`. With `dryRun=true` nothing is stored: the answer says which checks pass and what would be booked.',
    scope: 'recharges:write',
    query: CreateQuery,
    idempotencyKey: 'needed',
    body: {
      schema: { RechargeInput },
      example: rechargeExample,
      audited: {
        accountId: 'accountId',
        amount: 'amount',
        currency: 'currency',
        paymentMethod: 'paymentMethod',
        orderReference: 'orderReference',
      },
    },
    answers: {
      200: [
        { Recharge, DryRun },
        'The key was used before with the same request: the recharge as it is now. With `dryRun=true`: what would become of the request',
      ],
      202: [{ Recharge }, 'The recharge is stored and will be carried out'],
    },
    headers: { 200: ['Location', 'Idempotent-Replayed'], 202: ['Location'] },
    problems: WRITTEN,
    meanings: WRITING,
    handle: create,
  }),
  keyed({
    method: 'post',
    paths: ['/api/charge'],
    id: 'charge',
    tag: 'recharges',
    summary: 'Create a recharge in major units, and wait for it',
    description:
      'Without an idempotency key each call is a new recharge: a repeated call then charges twice. Send a key, and repeat with the same one. The answer comes after at most four seconds. `processing` means that the outcome is not known yet: read the recharge by its id.',
    scope: 'recharges:write',
    idempotencyKey: 'optional',
    body: {
      schema: { ChargeInput },
      example: { account_id: 'acct-1001', amount: 49.99, currency: 'USD', payment_method: 'sandbox' },
      audited: {
        account_id: 'accountId',
        amount: 'amount',
        currency: 'currency',
        payment_method: 'paymentMethod',
      },
    },
    answers: { 200: [{ Charge }, 'The outcome, as far as it is known after four seconds'] },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: WRITTEN,
    meanings: WRITING,
    handle: charge,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/recharges'],
    id: 'listRecharges',
    tag: 'recharges',
    summary: 'List recharges, newest first',
    description:
      'The recharges of your client that the key covers. The times filter by creation: a recharge that changed since then is found by its id, or by its status. `text/csv` has the same rows.',
    scope: 'recharges:read',
    query: ListQuery,
    answers: { 200: [{ Recharges }, 'A page of recharges'] },
    csv: true,
    problems: KEYED_CALL,
    handle: list,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/recharges/{id}'],
    id: 'getRecharge',
    tag: 'recharges',
    summary: 'Read one recharge, or wait for its outcome',
    description:
      'With `Prefer: wait=30` the answer comes when the recharge is final, or after 30 seconds with what is known then.',
    scope: 'recharges:read',
    prefer: true,
    answers: { 200: [{ Recharge }, 'The recharge as it is now'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: READING,
    handle: read,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/recharges/{id}/timeline'],
    id: 'getTimeline',
    tag: 'recharges',
    summary: 'Read everything that happened to one recharge',
    description:
      'One list in the order of time: the request, each transition, each call to the provider, each webhook, each posting and each case. The field `kind` says what a row is.',
    scope: 'recharges:read',
    answers: { 200: [{ Timeline }, 'What happened, oldest first'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: READING,
    handle: timeline,
  }),
  keyed({
    method: 'post',
    paths: ['/v1/recharges/{id}/cancel'],
    id: 'cancelRecharge',
    tag: 'recharges',
    summary: 'Cancel a recharge that was not sent or not paid yet',
    description:
      'Possible while the status is `accepted`, and while the recharge has an `action`: then the provider is asked to end the order, and the answer waits up to 3 seconds for its word. If the payer was faster, the recharge succeeds. Without an `action` the provider may have charged already.',
    scope: 'recharges:write',
    answers: {
      200: [
        { Recharge },
        'The recharge as it is then: canceled, or in progress until the provider has ended the order. Canceling it again gives the same answer',
      ],
    },
    problems: [...KEYED_CALL, 'NOT_FOUND', 'INVALID_STATE'],
    meanings: {
      ...READING,
      INVALID_STATE: 'The recharge was sent to the provider already and waits for no payer, or is final',
    },
    handle: cancel,
  }),
  keyed({
    method: 'post',
    paths: ['/v1/recharges/{id}/recheck'],
    id: 'recheckRecharge',
    tag: 'recharges',
    summary: 'Have the provider asked about a recharge now',
    description:
      'The provider is asked by itself, in growing intervals. This asks at once, and answers without waiting for the provider: read the recharge, or wait with `Prefer: wait`. Of a collected recharge it asks about the delivery.',
    scope: 'recharges:write',
    answers: { 202: [{ Recharge }, 'The provider is being asked. The recharge as it was before'] },
    problems: [...KEYED_CALL, 'NOT_FOUND', 'INVALID_STATE'],
    meanings: {
      ...READING,
      INVALID_STATE: 'The recharge is final, or was not sent to the provider yet',
      RATE_LIMITED:
        'The provider was asked about this recharge less than 5 seconds ago, or the key asks too often',
    },
    handle: recheck,
  }),
];
