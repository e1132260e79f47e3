import type { z } from 'zod';
import { BalanceQuery, LedgerQuery } from './accounts.js';
import { AuditQuery } from './audit-routes.js';
import type { Scope } from './caller.js';
import type { Code } from './problem.js';
import { ChargeInput, RechargeInput } from './recharge-input.js';
import { ListQuery } from './recharges.js';

export type Operation = Readonly<{
  method: 'get' | 'post';
  paths: readonly string[];
  id: string;
  tag: 'recharges' | 'accounts' | 'webhooks' | 'service';
  summary: string;
  description?: string;
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
  /** Name of the schema of the answer, by status. Csv: the rows may be had as text/csv too. */
  answers: Readonly<Record<number, string>>;
  csv?: boolean;
  headers?: Readonly<Record<number, readonly string[]>>;
  problems: readonly Code[];
}>;

export const inputs = { RechargeInput, ChargeInput } as const;

const EVERY = ['INVALID_ARGUMENT', 'INTERNAL_ERROR'] as const;
const KNOWN = [...EVERY, 'UNAUTHENTICATED', 'UNAUTHORIZED', 'RATE_LIMITED'] as const;
const WRITTEN = [...KNOWN, 'DUPLICATE_REQUEST', 'INSUFFICIENT_BALANCE'] as const;

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
    summary: 'Ask for a recharge',
    description:
      'Answers 202 when the recharge is stored, 200 with `Idempotent-Replayed: true` when the key was seen before. Repeat with the same key as often as you like. `callbackUrl` is refused until callbacks are built.',
    scope: 'recharges:write',
    idempotencyKey: 'needed',
    body: {
      schema: 'RechargeInput',
      example: rechargeExample,
    },
    answers: { 200: 'Recharge', 202: 'Recharge' },
    headers: { 200: ['Location', 'Idempotent-Replayed'], 202: ['Location'] },
    problems: WRITTEN,
  },
  {
    method: 'post',
    paths: ['/api/charge'],
    id: 'charge',
    tag: 'recharges',
    summary: 'Ask for a recharge in major units, and wait for it',
    description:
      'Without an idempotency key each call is a new charge: send one wherever a call may be repeated. Waits up to four seconds. `success` means that the money has arrived, `processing` that it is not known yet, `failed` that the account was not credited.',
    scope: 'recharges:write',
    idempotencyKey: 'optional',
    body: {
      schema: 'ChargeInput',
      example: { account_id: 'acct-1001', amount: 49.99, currency: 'USD', payment_method: 'sandbox' },
    },
    answers: { 200: 'Charge' },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: WRITTEN,
  },
  {
    method: 'get',
    paths: ['/v1/recharges'],
    id: 'listRecharges',
    tag: 'recharges',
    summary: 'List recharges, newest first',
    scope: 'recharges:read',
    query: ListQuery,
    answers: { 200: 'Recharges' },
    csv: true,
    problems: KNOWN,
  },
  {
    method: 'get',
    paths: ['/v1/recharges/{id}'],
    id: 'getRecharge',
    tag: 'recharges',
    summary: 'Read one recharge, or wait for its outcome',
    scope: 'recharges:read',
    prefer: true,
    answers: { 200: 'Recharge' },
    problems: [...KNOWN, 'NOT_FOUND'],
  },
  {
    method: 'get',
    paths: ['/v1/recharges/{id}/timeline'],
    id: 'getTimeline',
    tag: 'recharges',
    summary: 'Everything that happened to one recharge, in one order',
    scope: 'recharges:read',
    answers: { 200: 'Timeline' },
    problems: [...KNOWN, 'NOT_FOUND'],
  },
  {
    method: 'post',
    paths: ['/v1/recharges/{id}/cancel'],
    id: 'cancelRecharge',
    tag: 'recharges',
    summary: 'Cancel a recharge that was not sent yet',
    scope: 'recharges:write',
    answers: { 200: 'Recharge' },
    problems: [...KNOWN, 'NOT_FOUND', 'INVALID_STATE'],
  },
];

const accounts: readonly Operation[] = [
  {
    method: 'get',
    paths: ['/v1/account/balance'],
    id: 'getBalance',
    tag: 'accounts',
    summary: 'Balance of one account, in real time',
    description: 'An account without postings has no rows.',
    scope: 'balances:read',
    s3: true,
    query: BalanceQuery,
    answers: { 200: 'Balance' },
    problems: KNOWN,
  },
  {
    method: 'get',
    paths: ['/v1/accounts/{accountId}/ledger'],
    id: 'getLedger',
    tag: 'accounts',
    summary: "An account's entries with the running balance, newest first",
    scope: 'balances:read',
    query: LedgerQuery,
    answers: { 200: 'Ledger' },
    csv: true,
    problems: KNOWN,
  },
];

const audit: Operation = {
  method: 'get',
  paths: ['/v1/audit'],
  id: 'listCalls',
  tag: 'service',
  summary: "The calls of the caller's own client, newest first",
  scope: 'audit:read',
  query: AuditQuery,
  answers: { 200: 'Calls' },
  problems: KNOWN,
};

const others: readonly Operation[] = [
  {
    method: 'post',
    paths: ['/webhooks/{provider}'],
    id: 'takeWebhook',
    tag: 'webhooks',
    summary: "A provider's event",
    description:
      "Signed in the provider's own way over the raw body. Answered when it is stored, with the body that the provider asks for; a repeated event is answered the same.",
    body: 'any',
    answers: { 200: 'any' },
    problems: [...EVERY, 'UNAUTHENTICATED', 'NOT_FOUND'],
  },
  {
    method: 'get',
    paths: ['/healthz'],
    id: 'getHealth',
    tag: 'service',
    summary: 'The process lives',
    answers: { 200: 'Health' },
    problems: ['INTERNAL_ERROR'],
  },
  {
    method: 'get',
    paths: ['/readyz'],
    id: 'getReadiness',
    tag: 'service',
    summary: 'The process can take money: its database and queue answer',
    answers: { 200: 'Health', 503: 'Health' },
    headers: { 503: ['Retry-After'] },
    problems: ['INTERNAL_ERROR'],
  },
  {
    method: 'get',
    paths: ['/openapi.json'],
    id: 'getContract',
    tag: 'service',
    summary: 'This document',
    answers: { 200: 'any' },
    problems: ['INTERNAL_ERROR'],
  },
];

export const operations: readonly Operation[] = [...recharges, ...accounts, audit, ...others];
