import { StatementAway, type StatementLine } from '../../core/statement.js';
import { Prisma } from '../../generated/client.js';
import type { Store } from '../database/database.js';
import { StoreUnavailable } from '../database/failure.js';
import { isUuid } from '../database/storable.js';
import { differencesOf, openCases, type Period, type StatementDifference } from './differences.js';
import { gapsOf, type StoredGap } from './gaps.js';
import { type StatementLevel, statementLevels } from './levels.js';
import { storeAll, TakenOver } from './read-lines.js';
import {
  ended,
  fileOf,
  insertRun,
  listRuns,
  type NewRun,
  putOff,
  type ReconciliationRun,
  type RunFilter,
  runById,
  runByKey,
  type ScheduledDay,
  scheduledRun,
  takenUp,
} from './run-rows.js';
import type { StatementOf } from './store-lines.js';

/** The outcome of a run. Each list has 1,000 rows at most; the view `report.statement_lines` has all. */
export type Reconciled = ReconciliationRun &
  Readonly<{
    /** Lines of the period that have their recharge. */
    matched: number;
    oursOnly: readonly StatementDifference[];
    theirsOnly: readonly StatementDifference[];
    different: readonly StatementDifference[];
    gaps: readonly StoredGap[];
  }>;

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
  /** The outcome of a run. Null if there is no such run. */
  of(runId: string): Promise<Reconciled | null>;
  /** The run without what it found. Null if there is no such run. */
  run(runId: string): Promise<ReconciliationRun | null>;
  /** The runs, newest first. */
  list(filter: RunFilter): Promise<ReconciliationRun[]>;
  /** Per provider account: its open differences, and the age of its last finished run. */
  levels(): Promise<StatementLevel[]>;
}

const SHOWN_MAX = 1_000;
const CUT_OFF =
  'its reader ended before the last line; read the statement again: lines that are stored are kept';

type Deps = Readonly<{ newId: () => string }>;

export function openReconciliations(
  store: Pick<Store, 'run' | 'read' | 'survey'>,
  { newId }: Deps,
): Reconciliations {
  const { run, survey } = store;
  const of = async (runId: string): Promise<Reconciled | null> => {
    const found = isUuid(runId) ? await runById(run, runId) : null;
    return found && reconciled(survey, found);
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
        await run(ended(taken, taken.linesRead, CUT_OFF));
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
        await storeAll({ run, newId }, begun, lines, tell);
        await openCases(run, begun, newId);
        await run(ended(begun, count, null));
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

/** What becomes of a run whose lines could not be read to the end. */
async function afterFailure(
  { run }: Pick<Store, 'run'>,
  begun: ReconciliationRun,
  count: number,
  error: unknown,
): Promise<void> {
  if (error instanceof StoreUnavailable || error instanceof TakenOver) return;
  const why = error instanceof Error ? error.message : String(error);
  const isAway = error instanceof StatementAway && begun.source !== 'reader';
  await run(isAway ? putOff(begun, count, why) : ended(begun, count, why)).catch(() => {});
}

async function reconciled(survey: Store['survey'], found: ReconciliationRun): Promise<Reconciled> {
  const [counted] = await survey<{ matched: number }>(Prisma.sql`
    select count(*)::int as matched
    from statement_line line
    join statement_match found on found.line_id = line.id
    where line.provider = ${found.provider} and line.provider_account = ${found.providerAccount}
      and line.at >= ${found.from} and line.at < ${found.to}`);
  return {
    ...found,
    matched: counted!.matched,
    oursOnly: await differencesOf(survey, 'statement_ours_only', found, SHOWN_MAX),
    theirsOnly: await differencesOf(survey, 'statement_theirs_only', found, SHOWN_MAX),
    different: await differencesOf(survey, 'statement_different', found, SHOWN_MAX),
    gaps: await gapsOf(survey, found, SHOWN_MAX),
  };
}
