import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Fleet } from '../fleet/fleet.js';
import { until } from '../until.js';
import { inDatabase } from './database.js';
import {
  askedBeforeResent,
  type History,
  type OrderEvidence,
  unlikeHistory,
  unlikeProvider,
} from './provider.js';
import { restless } from './rest.js';
import { gather } from './witness.js';

export type BookedFleet = Pick<Fleet, 'databaseUrl' | 'sandboxUrl' | 'dir'>;

/**
 * Waits until nothing is due any more, then computes the invariants from outside: from the views of schema `report`,
 * from what the provider has, from what the producers saw; and lets `replenish verify` say the same. Empty: all hold.
 */
export async function checkBooks(fleet: BookedFleet, history: History = {}): Promise<string[]> {
  const db = new pg.Client({ connectionString: fleet.databaseUrl });
  await db.connect();
  try {
    const unrest = await rest(fleet, db, history);
    const evidence: OrderEvidence = { ...(await gather(fleet.sandboxUrl, db)), history };
    return [
      ...unrest,
      ...(await inDatabase(db)),
      ...unlikeProvider(evidence),
      ...askedBeforeResent(evidence),
      ...unlikeHistory(evidence),
      ...(await unlikeVerify(fleet)),
    ];
  } finally {
    await db.end();
  }
}

const REST_LIMIT_MS = 120_000;

/** INV7 as it is meant: whatever has not come to rest after the limit is a finding, and the rest is checked as it is. */
async function rest(
  fleet: BookedFleet,
  db: pg.Client,
  { restLimitMs, ...history }: History,
): Promise<string[]> {
  let heard: string[] = [];
  const atRest = async () => {
    heard = await restless(fleet.sandboxUrl, db, history.spokenFor ?? []);
    return heard.length === 0;
  };
  const limitMs = restLimitMs ?? REST_LIMIT_MS;
  return until(atRest, { limitMs, everyMs: 250 }, 'rest').then(
    () => [],
    (error: Error) => (heard.length > 0 ? heard.map((one) => `INV7: not at rest: ${one}`) : [error.message]),
  );
}

const launcher = join(import.meta.dirname, '../../../../apps/cli/bin/replenish.mjs');

async function unlikeVerify({ databaseUrl, dir }: BookedFleet): Promise<string[]> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'test', DATABASE_URL: databaseUrl, REPLENISH_DIR: dir };
  try {
    await promisify(execFile)(process.execPath, [launcher, 'verify', '--json'], { env });
    return [];
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return [`verify: exit ${code}: ${stdout?.trim()} ${stderr?.trim()}`];
  }
}
