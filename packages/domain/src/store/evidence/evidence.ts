import { seal } from '../chain/seal.js';
import type { Store } from '../database/database.js';
import type { EvidencePack } from './pack.js';
import { readEvidence } from './read.js';

/** Makes the pack of a recharge. Null if there is no such recharge. */
export type MakeEvidence = (id: string) => Promise<EvidencePack | null>;

/** A row that is not sealed yet would prove nothing, so the sealer runs once if the pack has one. */
export const evidenceMaker =
  ({ run, read }: Pick<Store, 'run' | 'read'>): MakeEvidence =>
  async (id) => {
    const pack = await readEvidence(read, id);
    if (pack === null || pack.chain.unsealed.length === 0) return pack;
    await seal(run);
    return readEvidence(read, id);
  };
