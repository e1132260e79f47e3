import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type AuditDeps, list } from './handlers.js';
import { AuditQuery } from './input.js';
import { Calls } from './schemas.js';

export const audit: readonly KeyedOperation<AuditDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/audit'],
    id: 'listCalls',
    tag: 'service',
    summary: 'List the API calls of your client, newest first',
    description:
      'Who called what from where, and what was answered. Bodies, headers and secrets are never kept.',
    scope: 'audit:read',
    query: AuditQuery,
    answers: { 200: [{ Calls }, 'A page of calls'] },
    problems: KEYED_CALL,
    handle: list,
  }),
];
