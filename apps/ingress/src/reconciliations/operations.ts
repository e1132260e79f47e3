import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import {
  createReconciliation,
  listReconciliations,
  type ReconciliationDeps,
  readReconciliation,
} from './handlers.js';
import { ReconciliationInput, RunQuery, StatementQuery } from './input.js';
import { Reconciliation, Reconciliations } from './schemas.js';

// A line has some 100 bytes. The command line takes files of any length.
const CSV_MAX_BYTES = 16 * 1_024 * 1_024;

const UNAUTHORIZED = 'The key lacks the scope, or does not cover all accounts: a statement is of all of them';

export const reconciliations: readonly KeyedOperation<ReconciliationDeps>[] = [
  keyed({
    method: 'post',
    paths: ['/v1/reconciliations'],
    id: 'createReconciliation',
    tag: 'reconciliations',
    summary: "Compare a provider's statement with the books",
    description:
      'With a body in JSON or XML the provider is asked for its own statement, if it has one. With a body in CSV its lines are the statement, and the query says whose it is. Every difference and every gap opens a case; the same lines again open none. The answer waits some seconds for the outcome of a CSV; a run that is still `running` is read with GET.',
    scope: 'reconciliation:write',
    idempotencyKey: 'optional',
    query: StatementQuery,
    body: {
      schema: { ReconciliationInput },
      example: { provider: 'sandbox', from: '2026-11-01T00:00:00Z', to: '2026-12-01T00:00:00Z' },
      csv: {
        about:
          'The statement: a line of names, then a row per line. Amounts are minor units, times are RFC 3339, `direction` is `in` or `out`; `orderId`, `reference` and `balance` may be empty. 16 MB at most',
        example:
          'line,at,orderId,reference,direction,amount,currency,balance\n1,2026-11-21T22:00:00Z,order-1,01a2122d-35de-70af-9927-1ae329a0e10b,in,4999,USD,104999\n',
      },
      bytesMax: CSV_MAX_BYTES,
      audited: { provider: 'provider', providerAccount: 'providerAccount', from: 'from', to: 'to' },
    },
    answers: {
      200: [{ Reconciliation }, 'The key was used before with the same request: the first run as it is now'],
      201: [{ Reconciliation }, 'The statement was compared'],
      202: [{ Reconciliation }, 'The run is under way'],
    },
    headers: { 200: ['Idempotent-Replayed', 'Location'], 201: ['Location'], 202: ['Location'] },
    problems: [...KEYED_CALL, 'DUPLICATE_REQUEST'],
    meanings: { UNAUTHORIZED, DUPLICATE_REQUEST: 'The idempotency key was used with another request' },
    handle: createReconciliation,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/reconciliations'],
    id: 'listReconciliations',
    tag: 'reconciliations',
    summary: 'List comparisons, newest first',
    description: 'The comparisons of all provider accounts, those of the daily schedule included.',
    scope: 'reconciliation:read',
    query: RunQuery,
    answers: { 200: [{ Reconciliations }, 'A page of comparisons'] },
    problems: KEYED_CALL,
    meanings: { UNAUTHORIZED },
    handle: listReconciliations,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/reconciliations/{runId}'],
    id: 'getReconciliation',
    tag: 'reconciliations',
    summary: 'Read one comparison',
    description:
      'What the lines of the period and the books said differently when the comparison ended. While it runs, nothing is listed. A further comparison of the same period counts what has been booked since.',
    scope: 'reconciliation:read',
    answers: { 200: [{ Reconciliation }, 'The comparison'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { UNAUTHORIZED, NOT_FOUND: 'There is no comparison with this id' },
    handle: readReconciliation,
  }),
];
