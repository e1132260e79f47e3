import { StatementAway, type StatementLine } from '../../core/money/statement.js';
import type { Store } from '../database/database.js';
import { StoreUnavailable } from '../database/failure.js';
import { isUuid } from '../database/storable.js';
import { openCases } from './differences.js';
import { type StatementLevel, statementLevels } from './levels.js';
import { compared, inJson, outcomeOf, type RunOutcome } from './outcome.js';
import type { Period } from './parts.js';
import { storeAll, TakenOver } from './read-lines.js';
import {
  ended,
  fileOf,
  insertRun,
  keptWith,
  listRuns,
  type NewRun,
  putOff,
  type ReconciliationRun,
  type RunFilter,
  runById,
  runByKey,
  type ScheduledDay,
  scheduledRun,
  TRIES_MAX,
  takenUp,
} from './run-rows.js';
import type { StatementOf } from './store-lines.js';

/** A run with what it found. */
export type Reconciled = ReconciliationRun & RunOutcome;

export type RunAsk = Omit<NewRun, 'id'>;
export type AskedRun =
  | Readonly<{ ok: true; replayed: boolean; run: ReconciliationRun }>
  | Readonly<{ ok: false; problem: 'key_used_with_other_body' }>;

type Lines = AsyncIterable<StatementLine> | Iterable<StatementLine>;

/** Compares providers' statements with the books, line by line. */
export interface Reconciliations {
  /** Begins a run whose lines the caller reads. */
  begin(period: Period, askedBy: string): Promise<ReconciliationRun>;
  /** Stores a run that a worker takes up. A repeated idempotency key answers with the first run. */
  ask(ask: RunAsk): Promise<AskedRun>;
  /** The run of a provider account over the last whole day, if it is not there yet. Its lines are the provider's. */
  askDaily(account: StatementOf, day: ScheduledDay): Promise<boolean>;
  /** A due run, to be carried out by the caller. Null: none is due. A run whose lines nobody reads any more fails. */
  takeUp(accounts: readonly StatementOf[]): Promise<ReconciliationRun | null>;
  /** The file of a run, piece by piece. */
  file(runId: string): AsyncIterable<Uint8Array>;
  /**
   * Stores and matches the lines of a statement in batches, and opens a case for each difference and each gap. Lines
   * that are stored already are not stored again, so a run that was cut off is simply repeated.
   * @param telling called with the number of lines so far
   * @throws StatementAway, StoreUnavailable: the run goes on later. Any other error ends the run as failed, and its
   *   lines so far are kept
   */
  read(run: ReconciliationRun, lines: Lines, telling?: (count: number) => void): Promise<Reconciled>;
  /** A run with what it found by its end. Null if there is no such run. */
  of(runId: string): Promise<Reconciled | null>;
  /** The run without what it found. Null if there is no such run. */
  run(runId: string): Promise<ReconciliationRun | null>;
  /** The runs, newest first. */
  list(filter: RunFilter): Promise<ReconciliationRun[]>;
  /** Per provider account: its open differences, and the age of its last finished run. */
  levels(): Promise<StatementLevel[]>;
}

const CUT_OFF =
  'its reader ended before the last line; read the statement again: lines that are stored are kept';

type Deps = Readonly<{ newId: () => string }>;

export function openReconciliations(
  store: Pick<Store, 'run' | 'read' | 'survey'>,
  { newId }: Deps,
): Reconciliations {
  const { run } = store;
  const of = async (runId: string): Promise<Reconciled | null> => {
    const found = isUuid(runId) ? await runById(run, runId) : null;
    return found && { ...found, ...(await outcomeOf(store, found)) };
  };
  return {
    begin: async (period, askedBy) =>
      (await insertRun(run, { id: newId(), period, source: 'reader', askedBy, key: null, file: null }))!,
    ask: (ask) => asked(store, { ...ask, id: newId() }),
    askDaily: (account, day) => scheduledRun(run, account, { ...day, id: newId() }),
    takeUp: async (accounts) => {
      for (;;) {
        const taken = await takenUp(run, accounts);
        if (taken?.source !== 'reader') return taken;
        await end(store, taken, { linesRead: taken.linesRead, linesOutside: null, failure: CUT_OFF });
      }
    },
    file: (runId) => fileOf(run, runId),
    read: async (begun, lines, telling = () => {}) => {
      let count = 0;
      const tell = (soFar: number) => {
        count = soFar;
        telling(soFar);
      };
      try {
        const linesOutside = await storeAll({ run, newId }, begun, lines, tell);
        await openCases(run, begun, { newId });
        await end(store, begun, { linesRead: count, linesOutside, failure: null });
      } catch (error) {
        await afterFailure(store, begun, count, error);
        throw error;
      }
      return (await of(begun.id))!;
    },
    of,
    run: async (runId) => (isUuid(runId) ? runById(run, runId) : null),
    list: (filter) => listRuns(store.read, filter),
    levels: () => statementLevels(store.read),
  };
}

async function asked({ run }: Pick<Store, 'run'>, ask: NewRun): Promise<AskedRun> {
  const inserted = await insertRun(run, ask);
  if (inserted) return { ok: true, replayed: false, run: inserted };
  const first = ask.key && (await runByKey(run, ask.key));
  if (!first) throw new Error(`run ${ask.id} was not stored, and its key stands for no other`);
  const { fingerprint, ...earlier } = first;
  return fingerprint === ask.key!.fingerprint
    ? { ok: true, replayed: true, run: earlier }
    : { ok: false, problem: 'key_used_with_other_body' };
}

type EndingStore = Pick<Store, 'run' | 'survey'>;

/**
 * Ends a run, and then keeps with it what it found. The comparison may take minutes or fail. The run is over all the same,
 * and is then compared when somebody asks for it.
 */
async function end(
  { run, survey }: EndingStore,
  ending: ReconciliationRun,
  how: Parameters<typeof ended>[1],
): Promise<void> {
  const endedRuns = await run(ended(ending, how));
  if (endedRuns.length === 0) return;
  const keep = async () => run(keptWith(ending.id, inJson(await compared(survey, ending))));
  await keep().catch(() => {});
}

/** What becomes of a run whose lines could not be read to the end. */
async function afterFailure(
  store: EndingStore,
  begun: ReconciliationRun,
  count: number,
  error: unknown,
): Promise<void> {
  if (error instanceof StoreUnavailable || error instanceof TakenOver) return;
  const why = error instanceof Error ? error.message : String(error);
  const isPutOff = error instanceof StatementAway && begun.source !== 'reader' && begun.tries < TRIES_MAX;
  const ending = { linesRead: count, linesOutside: null, failure: why };
  await (isPutOff ? store.run(putOff(begun, why)) : end(store, begun, ending)).catch(() => {});
}
