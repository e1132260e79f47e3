import type { ProcessName } from '@replenish/runtime';
import pg from 'pg';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';

/**
 * The waits of the fleets in these tests. They are short, so that recoveries take little time. No rate limit applies.
 */
export const patience = {
  RECONCILE_PERIOD_MS: '500',
  RECONCILE_AFTER_MS: '1000',
  PROVIDER_TIMEOUT_MS: '2000',
  RATE_LIMIT_PER_MINUTE: '1000000',
};

const USUAL_SEED = 7;

/** The seed of the load. The variable SEED repeats or varies it. */
export const seed = (): number => Number(process.env.SEED ?? USUAL_SEED);

/** The time limit of one test. On a busy machine these tests take many times longer, but are still valid. */
export const TEST_LIMIT_MS = 480_000;

/** A fleet with a producer and a connection to its database. */
export type Stage = Readonly<{ fleet: Fleet; producer: Producer; db: pg.Client; close: () => Promise<void> }>;

/** @param connections the producer's connections to each ingress */
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

/** Kills a process as `kill -9` does, and waits until all processes are ready again. */
export async function killAndRevive(fleet: Fleet, name: ProcessName, nth = 0): Promise<void> {
  const { starts } = fleet.process(name, nth);
  fleet.process(name, nth).kill();
  await revived(fleet, name, starts, nth);
}

/** Waits until a process has been started more than `starts` times, and all processes are ready. */
export async function revived(fleet: Fleet, name: ProcessName, starts: number, nth = 0): Promise<void> {
  const isNew = () => fleet.process(name, nth).starts > starts;
  await until(isNew, { limitMs: TEST_LIMIT_MS }, `${name} ${nth} started again`);
  await fleet.ready();
}
