import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type EvidenceDeps, readEvidence } from './handlers.js';
import { Evidence } from './schemas.js';

export const evidence: readonly KeyedOperation<EvidenceDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/recharges/{id}/evidence'],
    id: 'getEvidence',
    tag: 'recharges',
    summary: 'Read the evidence of one recharge',
    description:
      'Everything on record about one recharge, its delivery and its refunds, with the links of the chain of hashes that cover it. `npx replenish evidence check FILE` checks the JSON form without a database. `text/html` is a page to print. It holds no secrets and no bodies of webhooks.',
    scope: 'recharges:read',
    answers: { 200: [{ Evidence }, 'The evidence, as of now'] },
    page: true,
    problems: [...KEYED_CALL, 'NOT_FOUND'],
    meanings: {
      NOT_FOUND: 'The client of the key has no recharge with this id, or the key does not cover its account',
    },
    handle: readEvidence,
  }),
];
