import type { Prisma } from '../../generated/client.js';
import type { Run } from '../database/database.js';
import { isContended } from '../database/failure.js';

const TRIES = 8;

/** Runs a statement that waits for another session, which holds a plan longer than other rows are held. */
export async function patiently<Row>(run: Run, statement: Prisma.Sql): Promise<Row[]> {
  for (let tries = 1; ; tries++)
    try {
      return await run<Row>(statement);
    } catch (error) {
      if (!isContended(error) || tries === TRIES) throw error;
    }
}
