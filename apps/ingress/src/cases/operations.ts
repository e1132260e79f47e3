import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type CaseDeps, listCases, readCase, resolveCase } from './handlers.js';
import { CaseQuery, ResolutionInput } from './input.js';
import { Case, Cases } from './schemas.js';

const NOT_FOUND = 'There is no case with this id that the key may see';

export const cases: readonly KeyedOperation<CaseDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/cases'],
    id: 'listCases',
    tag: 'cases',
    summary: 'List cases, newest first',
    description:
      'A case is a question that a person has to answer, such as money that came after a recharge had failed. A key sees the cases of its client on its accounts. A key for all accounts also sees the cases of events that name no transaction.',
    scope: 'cases:read',
    query: CaseQuery,
    answers: { 200: [{ Cases }, 'A page of cases'] },
    problems: KEYED_CALL,
    handle: listCases,
  }),
  keyed({
    method: 'get',
    paths: ['/v1/cases/{caseId}'],
    id: 'getCase',
    tag: 'cases',
    summary: 'Read one case',
    description: 'The case with its money, its evidence, and the verbs that a person can use now.',
    scope: 'cases:read',
    answers: { 200: [{ Case }, 'The case'] },
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: { NOT_FOUND },
    handle: readCase,
  }),
  keyed({
    method: 'post',
    paths: ['/v1/cases/{caseId}/resolutions'],
    id: 'resolveCase',
    tag: 'cases',
    summary: 'Decide about a case',
    description:
      '`adopt` credits the money in suspense to the account; late money of the right amount makes the recharge succeed. Of a line of a statement that no recharge fits, it books a recharge of the account that the evidence names as `accountId`. Of a line that has the money of a recharge that failed, it makes the recharge succeed. `return` pays it back at the provider. `fail` ends a recharge whose order moved no money. `resubmit` sends an order again that is not there. `dismiss` closes the case. A verb happens once, however often it is sent.',
    scope: 'cases:write',
    idempotencyKey: 'needed',
    body: {
      schema: { ResolutionInput },
      example: {
        verb: 'adopt',
        reason: 'the bank statement shows the money',
        evidence: { statement: '2026-11', line: 7 },
      },
      audited: { verb: 'verb', reason: 'reason' },
    },
    answers: { 200: [{ Case }, 'The closed case. Also when the key was used before with the same request'] },
    headers: { 200: ['Idempotent-Replayed'] },
    problems: [...KEYED_CALL, 'NOT_FOUND', 'INVALID_STATE', 'DUPLICATE_REQUEST', 'INSUFFICIENT_BALANCE'],
    meanings: {
      NOT_FOUND,
      INVALID_STATE: 'The case is closed, or does not offer the verb now',
      DUPLICATE_REQUEST: 'The idempotency key was used with another request',
      INSUFFICIENT_BALANCE: 'The wallet does not hold the money that goes out of it',
    },
    handle: resolveCase,
  }),
];
