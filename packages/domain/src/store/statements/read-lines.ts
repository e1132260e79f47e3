import { continuity, type Gap, type StatementLine } from '../../core/statement.js';
import type { Run } from '../database/database.js';
import { storeGaps } from './gaps.js';
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
 * Stores the lines of a statement in batches, with the gaps between them.
 * @param telling called with the number of lines that are stored
 */
export async function storeAll(
  { run, newId }: Readonly<{ run: Run; newId: () => string }>,
  begun: ReconciliationRun,
  lines: AsyncIterable<StatementLine> | Iterable<StatementLine>,
  telling: (count: number) => void,
): Promise<void> {
  const [keyed, gapBefore] = [keyer(), continuity<KeyedLine>()];
  const keep = keeper(run, begun);
  let [batch, gaps, count]: [KeyedLine[], Gap<KeyedLine>[], number] = [[], [], 0];
  const store = async () => {
    if (batch.length > 0) await run(storedLines(begun, batch, newId));
    await storeGaps(run, begun, gaps, newId);
    [batch, gaps] = [[], []];
    telling(count);
    await keep(count);
  };
  for await (const line of lines) {
    const one = keyed(line);
    const gap = gapBefore(one);
    if (line.isOfProvider !== true) batch.push(one);
    if (gap) gaps.push(gap);
    count++;
    if (batch.length === LINES_TOGETHER) await store();
  }
  await store();
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
