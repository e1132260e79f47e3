import { continuity, type Neighbors, type StatementLine } from '../../core/money/statement.js';
import type { Run } from '../database/database.js';
import { storeNeighbors } from './gaps.js';
import { type KeyedLine, keyer } from './line-key.js';
import { type ReconciliationRun, renewed } from './run-rows.js';
import { storedLines } from './store-lines.js';

/** Another worker has taken the run up, and goes on with it. */
export class TakenOver extends Error {
  override readonly name = 'TakenOver';
}

// A line costs some 25 buffers with its match.
const LINES_TOGETHER = 64;
const RENEW_EVERY_MS = 5_000;

/**
 * Stores the lines of a statement in batches, with the gaps between them. Gaps that its lines fill are closed. Returns
 * the number of lines that are outside the period of the run.
 * @param telling called with the number of lines that are stored
 */
export async function storeAll(
  { run, newId }: Readonly<{ run: Run; newId: () => string }>,
  begun: ReconciliationRun,
  lines: AsyncIterable<StatementLine> | Iterable<StatementLine>,
  telling: (count: number) => void,
): Promise<number> {
  const [keyed, followed] = [keyer(), continuity<KeyedLine>()];
  const keep = keeper(run, begun);
  const pairs: Neighbors<KeyedLine>[] = [];
  let [batch, count, outside]: [KeyedLine[], number, number] = [[], 0, 0];
  const store = async () => {
    if (batch.length > 0) await run(storedLines(begun, batch, newId));
    while (pairs.length > 0) await storeNeighbors(run, begun, pairs.splice(0, LINES_TOGETHER), newId);
    batch = [];
    telling(count);
    await keep(count);
  };
  for await (const line of lines) {
    const one = keyed(line);
    if (line.isOfProvider !== true) batch.push(one);
    pairs.push(...followed.add(one));
    count++;
    if (line.at < begun.from || line.at >= begun.to) outside++;
    if (Math.max(batch.length, pairs.length) >= LINES_TOGETHER) await store();
  }
  pairs.push(...followed.rest());
  await store();
  return outside;
}

/** Returns a function that tells every few seconds that the run is still read. @throws TakenOver */
function keeper(run: Run, begun: ReconciliationRun): (count: number) => Promise<void> {
  let toldAtMs = performance.now();
  return async (count) => {
    if (performance.now() - toldAtMs < RENEW_EVERY_MS) return;
    toldAtMs = performance.now();
    if (!(await renewed(run, begun, count))) throw new TakenOver(`another worker reads run ${begun.id}`);
  };
}
