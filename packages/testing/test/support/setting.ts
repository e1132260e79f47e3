import type { ProcessName } from '@replenish/runtime';
import pg from 'pg';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';

/**
 * Waits of the fleets in these tests: shorter than those of a desk where healing is what is waited for. Nobody is
 * limited in how often they may call.
 */
export const patience = {
  RECONCILE_PERIOD_MS: '500',
  RECONCILE_AFTER_MS: '1000',
  PROVIDER_TIMEOUT_MS: '2000',
  RATE_LIMIT_PER_MINUTE: '1000000',
};

const USUAL_SEED = 7;

/** Plans the load: `SEED=n` repeats or varies it. */
export const seed = (): number => Number(process.env.SEED ?? USUAL_SEED);

/** Of one test: a machine that is busy with other things makes each of these many times longer, and no less right. */
export const TEST_LIMIT_MS = 480_000;

/** A fleet with someone who posts to it, and a look into its database. */
export type Stage = Readonly<{ fleet: Fleet; producer: Producer; db: pg.Client; close: () => Promise<void> }>;

/** @param connections of the producer, for each ingress */
export async function openStage(
  options: Parameters<typeof startFleet>[0] = {},
  connections?: number,
): Promise<Stage> {
  const fleet = await startFleet({ env: patience, ...options });
  const db = new pg.Client({ connectionString: fleet.databaseUrl });
  try {
    await db.connect();
    const producer = await Producer.open(fleet, connections);
    const close = async () => {
      producer.close();
      await db.end();
      await fleet.stop();
    };
    return { fleet, producer, db, close };
  } catch (error) {
    await db.end();
    await fleet.stop();
    throw error;
  }
}

/** Kills a process as `kill -9` would, and waits until the fleet is whole again. */
export async function killAndRevive(fleet: Fleet, name: ProcessName, nth = 0): Promise<void> {
  const { starts } = fleet.process(name, nth);
  fleet.process(name, nth).kill();
  await revived(fleet, name, starts, nth);
}

/** Waits until a process that dies by itself was started more often than `starts` times, and the fleet is whole. */
export async function revived(fleet: Fleet, name: ProcessName, starts: number, nth = 0): Promise<void> {
  const isNew = () => fleet.process(name, nth).starts > starts;
  await until(isNew, { limitMs: TEST_LIMIT_MS }, `${name} ${nth} started again`);
  await fleet.ready();
}
