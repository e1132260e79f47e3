import type { BooksProof, Domain } from '@replenish/domain';
import { coversEveryAccount } from '../auth/account-patterns.js';
import { answer, exactJson } from '../http/answers/answer.js';
import { Problem } from '../http/answers/problem.js';
import type { KeyedCall } from '../http/operation.js';

export type ProofDeps = Readonly<{ proof: () => Promise<BooksProof> }>;

/** Shares a proof that is under way, since each one reads the whole of the books. */
export function sharedProof({ proof }: Pick<Domain, 'proof'>): () => Promise<BooksProof> {
  let underWay: Promise<BooksProof> | null = null;
  return () => {
    underWay ??= proof().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}

export async function readProof({ proof }: ProofDeps, { request, response, key }: KeyedCall): Promise<void> {
  if (!coversEveryAccount(key))
    throw new Problem(
      'UNAUTHORIZED',
      'a proof is about all accounts, so the key needs the account pattern *',
    );
  const { at, currencies, invariants, chain } = await proof();
  const body = {
    at,
    currencies: currencies.map(({ sum, ...one }) => ({ ...one, sum: sum.toString() })),
    invariants,
    chain: { sealedTo: chain.seq, head: chain.hash, unsealed: chain.unsealed },
  };
  answer(request, response, 'proof', body, { json: exactJson });
}
