import { seal } from '../chain/seal.js';
import type { Store } from '../database/database.js';
import type { EvidencePack } from './pack.js';
import { readEvidence } from './read.js';

/** Makes the pack of a recharge. Null if there is no such recharge. */
export type MakeEvidence = (id: string) => Promise<EvidencePack | null>;

// The caller waits for the evidence, so sealing has little time. Another sealer may be faster with some of the rows, so
// a second try may find more.
const SEAL_LIMIT_MS = 1_000;
const TRIES = 3;

/**
 * A row that is not sealed yet would prove nothing, so the sealer runs first if the pack has one. Where more rows wait than
 * it seals in its time, the pack names those without a link.
 */
export const evidenceMaker =
  ({ run, read }: Pick<Store, 'run' | 'read'>): MakeEvidence =>
  async (id) => {
    const untilMs = performance.now() + SEAL_LIMIT_MS;
    let pack = await readEvidence(read, id);
    for (let tried = 0; tried < TRIES && pack !== null && pack.chain.unsealed.length > 0; tried++) {
      await seal(run, untilMs - performance.now());
      pack = await readEvidence(read, id);
    }
    return pack;
  };
