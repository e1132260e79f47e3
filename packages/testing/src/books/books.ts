import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Fleet } from '../fleet/fleet.js';
import { until } from '../until.js';
import { findingsInDatabase } from './database.js';
import {
  blindResubmits,
  differencesFromHistory,
  differencesFromProvider,
  type History,
  type OrderEvidence,
} from './provider.js';
import { reasonsNotAtRest } from './rest.js';
import { differencesFromSimulators } from './simulators.js';
import { gather } from './witness.js';

export type BookedFleet = Pick<Fleet, 'databaseUrl' | 'sandboxUrl' | 'dir'>;

/**
 * Waits until nothing is due any more, then checks the invariants from outside: by the views of schema `report`, by the
 * provider's orders, by the calls of the producers, and by `replenish verify`. Returns an empty list if all hold.
 */
export async function checkBooks(fleet: BookedFleet, history: History = {}): Promise<string[]> {
  const db = new pg.Client({ connectionString: fleet.databaseUrl });
  await db.connect();
  try {
    const unrest = await rest(fleet, db, history);
    const evidence: OrderEvidence = { ...(await gather(fleet.sandboxUrl, db)), history };
    return [
      ...unrest,
      ...(await findingsInDatabase(db)),
      ...differencesFromProvider(evidence),
      ...(await differencesFromSimulators(fleet.sandboxUrl, evidence)),
      ...blindResubmits(evidence),
      ...differencesFromHistory(evidence),
      ...(await findingsOfVerify(fleet)),
    ];
  } finally {
    await db.end();
  }
}

const REST_LIMIT_MS = 120_000;

/** INV7: each recharge or event that is not at rest after the limit is a finding. The other checks run even then. */
async function rest(
  fleet: BookedFleet,
  db: pg.Client,
  { restLimitMs, ...history }: History,
): Promise<string[]> {
  let heard: string[] = [];
  const atRest = async () => {
    heard = await reasonsNotAtRest(fleet.sandboxUrl, db, history.spokenFor ?? []);
    return heard.length === 0;
  };
  const limitMs = restLimitMs ?? REST_LIMIT_MS;
  return until(atRest, { limitMs, everyMs: 250 }, 'rest').then(
    () => [],
    (error: Error) => (heard.length > 0 ? heard.map((one) => `INV7: not at rest: ${one}`) : [error.message]),
  );
}

const launcher = join(import.meta.dirname, '../../../../apps/cli/bin/replenish.mjs');

async function findingsOfVerify({ databaseUrl, dir }: BookedFleet): Promise<string[]> {
  const env = { PATH: process.env.PATH, NODE_ENV: 'test', DATABASE_URL: databaseUrl, REPLENISH_DIR: dir };
  try {
    await promisify(execFile)(process.execPath, [launcher, 'verify', '--json'], { env });
    return [];
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: number; stdout?: string; stderr?: string };
    return [`verify: exit ${code}: ${stdout?.trim()} ${stderr?.trim()}`];
  }
}
