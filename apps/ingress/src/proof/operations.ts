import { KEYED_CALL, type KeyedOperation, keyed } from '../http/operation.js';
import { type ProofDeps, readProof } from './handlers.js';
import { Proof } from './schemas.js';

export const proof: readonly KeyedOperation<ProofDeps>[] = [
  keyed({
    method: 'get',
    paths: ['/v1/ledger/proof'],
    id: 'getProof',
    tag: 'accounts',
    summary: 'Prove the books',
    description:
      'Adds up every currency, checks every rule of the books, and names the newest hash of the chain. It reads the whole of the books, so it takes minutes per million recharges. Callers that ask at the same time share one proof.',
    scope: 'ledger:read',
    answers: {
      200: [{ Proof }, 'The proof. Look at `sum` and `ok`: a broken rule is told with status 200, too'],
    },
    problems: KEYED_CALL,
    meanings: { UNAUTHORIZED: 'The key lacks the scope, does not cover all accounts, or is locked' },
    handle: readProof,
  }),
];
