import type { Scope } from '@replenish/domain/rules';
import type { z } from 'zod';
import { BalanceQuery, LedgerQuery } from '../accounts/routes.js';
import { AuditQuery } from '../audit/routes.js';
import type { Code } from '../http/problem.js';
import { ChargeInput, RechargeInput } from '../recharges/input.js';
import { ListQuery } from '../recharges/routes.js';

export type Operation = Readonly<{
  method: 'get' | 'post';
  paths: readonly string[];
  id: string;
  tag: 'recharges' | 'accounts' | 'webhooks' | 'service';
  summary: string;
  description: string;
  /** Summaries of the paths after the first one, which are other names of the same operation. */
  aliasSummaries?: readonly string[];
  /** Nobody has to say who calls when there is none. `s3` also takes the S3 form. */
  scope?: Scope;
  s3?: boolean;
  idempotencyKey?: 'needed' | 'optional';
  prefer?: boolean;
  query?: z.ZodType;
  /** Any: bytes of whatever media type. */
  body?:
    | Readonly<{ schema: 'RechargeInput' | 'ChargeInput'; example: Readonly<Record<string, unknown>> }>
    | 'any';
  /** Schema and meaning of the answer, by status. Csv: the rows may be had as text/csv too. */
  answers: Readonly<Record<number, readonly [schema: string, meaning: string]>>;
  csv?: boolean;
  headers?: Readonly<Record<number, readonly string[]>>;
  problems: readonly Code[];
  /** What a problem means for this operation, where that is more than what its code means. */
  meanings?: Readonly<Partial<Record<Code, string>>>;
}>;

export const inputs = { RechargeInput, ChargeInput } as const;

const EVERY = ['INVALID_ARGUMENT', 'INTERNAL_ERROR'] as const;
const KNOWN = [...EVERY, 'UNAUTHENTICATED', 'UNAUTHORIZED', 'RATE_LIMITED'] as const;
const WRITTEN = [...KNOWN, 'DUPLICATE_REQUEST', 'INSUFFICIENT_BALANCE'] as const;

const FOREIGN = 'The key lacks the scope, does not cover the account, or is locked';
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

const recharges: readonly Operation[] = [
  {
    method: 'post',
    paths: ['/v1/recharges', '/recharge'],
    id: 'createRecharge',
    tag: 'recharges',
    summary: 'Create a recharge',
    aliasSummaries: ['Create a recharge (other name of POST /v1/recharges)'],
    description:
      'Stores a recharge and sends it to the provider. After a timeout, a broken connection or a 5xx, repeat the request with the same idempotency key: it stays one recharge. `callbackUrl` is refused until callbacks exist.',
    scope: 'recharges:write',
    idempotencyKey: 'needed',
    body: {
      schema: 'RechargeInput',
      example: rechargeExample,
    },
    answers: {
      200: ['Recharge', 'The key was used before with the same request: the recharge as it is now'],
      202: ['Recharge', 'The recharge is stored and will be carried out'],
    },
    headers: { 200: ['Location', 'Idempotent-Replayed'], 202: ['Location'] },
    problems: WRITTEN,
    meanings: WRITING,
  },
  {
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
      schema: 'ChargeInput',
      example: { account_id: 'acct-1001', amount: 49.99, currency: 'USD', payment_method: 'sandbox' },
    },
    answers: { 200: ['Charge', 'The outcome, as far as it is known after four seconds'] },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: WRITTEN,
    meanings: WRITING,
  },
  {
    method: 'get',
    paths: ['/v1/recharges'],
    id: 'listRecharges',
    tag: 'recharges',
    summary: 'List recharges, newest first',
    description:
      'The recharges of your client that the key covers. The times filter by creation: a recharge that changed since then is found by its id, or by its status. `text/csv` has the same rows.',
    scope: 'recharges:read',
    query: ListQuery,
    answers: { 200: ['Recharges', 'A page of recharges'] },
    csv: true,
    problems: KNOWN,
  },
  {
    method: 'get',
    paths: ['/v1/recharges/{id}'],
    id: 'getRecharge',
    tag: 'recharges',
    summary: 'Read one recharge, or wait for its outcome',
    description:
      'With `Prefer: wait=30` the answer comes when the recharge is final, or after 30 seconds with what is known then.',
    scope: 'recharges:read',
    prefer: true,
    answers: { 200: ['Recharge', 'The recharge as it is now'] },
    problems: [...KNOWN, 'NOT_FOUND'],
    meanings: READING,
  },
  {
    method: 'get',
    paths: ['/v1/recharges/{id}/timeline'],
    id: 'getTimeline',
    tag: 'recharges',
    summary: 'Read everything that happened to one recharge',
    description:
      'One list in the order of time: the request, each transition, each call to the provider, each webhook, each posting and each case. The field `kind` says what a row is.',
    scope: 'recharges:read',
    answers: { 200: ['Timeline', 'What happened, oldest first'] },
    problems: [...KNOWN, 'NOT_FOUND'],
    meanings: READING,
  },
  {
    method: 'post',
    paths: ['/v1/recharges/{id}/cancel'],
    id: 'cancelRecharge',
    tag: 'recharges',
    summary: 'Cancel a recharge that was not sent yet',
    description:
      'Possible while the status is `accepted`. Afterwards the provider may have charged already, and only its word ends the recharge.',
    scope: 'recharges:write',
    answers: { 200: ['Recharge', 'The canceled recharge. Canceling it again gives the same answer'] },
    problems: [...KNOWN, 'NOT_FOUND', 'INVALID_STATE'],
    meanings: { ...READING, INVALID_STATE: 'The recharge was sent to the provider already, or is final' },
  },
];

const accounts: readonly Operation[] = [
  {
    method: 'get',
    paths: ['/v1/account/balance'],
    id: 'getBalance',
    tag: 'accounts',
    summary: 'Read the balance of one account',
    description:
      'The balance per currency, and the newest entries of the ledger. An account that nothing was posted to has no rows. Keys that allow it may sign this call in a shorter form.',
    scope: 'balances:read',
    s3: true,
    query: BalanceQuery,
    answers: { 200: ['Balance', 'The balance as it is now'] },
    problems: KNOWN,
    meanings: { UNAUTHORIZED: FOREIGN },
  },
  {
    method: 'get',
    paths: ['/v1/accounts/{accountId}/ledger'],
    id: 'getLedger',
    tag: 'accounts',
    summary: "List an account's ledger entries, newest first",
    description: 'Each entry with the available balance after it. `text/csv` has the same rows.',
    scope: 'balances:read',
    query: LedgerQuery,
    answers: { 200: ['Ledger', 'A page of entries'] },
    csv: true,
    problems: KNOWN,
    meanings: { UNAUTHORIZED: FOREIGN },
  },
];

const audit: Operation = {
  method: 'get',
  paths: ['/v1/audit'],
  id: 'listCalls',
  tag: 'service',
  summary: 'List the API calls of your client, newest first',
  description:
    'Who called what from where, and what was answered. Bodies, headers and secrets are never kept.',
  scope: 'audit:read',
  query: AuditQuery,
  answers: { 200: ['Calls', 'A page of calls'] },
  problems: KNOWN,
};

const others: readonly Operation[] = [
  {
    method: 'post',
    paths: ['/webhooks/{provider}'],
    id: 'takeWebhook',
    tag: 'webhooks',
    summary: "Receive a provider's event",
    description:
      'For providers, not for producers. The provider signs the raw body in its own way. The answer comes when the event is stored; a repeated event gets the same answer.',
    body: 'any',
    answers: { 200: ['any', 'The event is stored. The body is the one that the provider asks for'] },
    problems: [...EVERY, 'UNAUTHENTICATED', 'NOT_FOUND'],
    meanings: {
      UNAUTHENTICATED: 'The signature is wrong, or its time is more than 300 s off',
      NOT_FOUND: 'No provider of this name is configured',
    },
  },
  {
    method: 'get',
    paths: ['/healthz'],
    id: 'getHealth',
    tag: 'service',
    summary: 'Check that the process is alive',
    description: 'Asks nothing else. For the supervisor that restarts the process.',
    answers: { 200: ['Health', 'The process is alive'] },
    problems: ['INTERNAL_ERROR'],
  },
  {
    method: 'get',
    paths: ['/readyz'],
    id: 'getReadiness',
    tag: 'service',
    summary: 'Check that the process can accept recharges',
    description: 'Asks the database and the queue. For the load balancer in front.',
    answers: {
      200: ['Health', 'Requests may be sent here'],
      503: ['Health', 'Not ready: the database or the queue does not answer'],
    },
    headers: { 503: ['Retry-After'] },
    problems: ['INTERNAL_ERROR'],
  },
  {
    method: 'get',
    paths: ['/openapi.json'],
    id: 'getContract',
    tag: 'service',
    summary: 'Read this document',
    description: 'OpenAPI 3.1 of every route, for code generators and other tools.',
    answers: { 200: ['any', 'The document'] },
    problems: ['INTERNAL_ERROR'],
  },
];

export const operations: readonly Operation[] = [...recharges, ...accounts, audit, ...others];
