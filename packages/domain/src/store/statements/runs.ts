import { continuity, type Gap, type StatementLine } from '../../core/statement.js';
import { Prisma } from '../../generated/client.js';
import type { Store } from '../database/database.js';
import { storable } from '../database/storable.js';
import { differencesOf, openCases, type Period, type StatementDifference } from './differences.js';
import { gapsOf, type StoredGap, storeGaps } from './gaps.js';
import { type KeyedLine, keyer } from './line-key.js';
import { storedLines } from './store-lines.js';

export type ReconciliationRun = Period &
  Readonly<{
    id: string;
    status: 'running' | 'finished' | 'failed';
    failure: string | null;
    createdAt: Date;
    finishedAt: Date | null;
  }>;

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

/** Compares providers' statements with the books, line by line. */
export interface Reconciliations {
  begin(period: Period, askedBy: string): Promise<ReconciliationRun>;
  /**
   * Stores and matches the lines of a statement in batches, and opens a case for each difference and each gap. Lines
   * that are stored already are not stored again, so a run that was cut off is simply repeated.
   * @param telling called with the number of lines so far
   * @throws the error that ended the statement; the run is then failed, and its lines so far are kept
   */
  read(
    run: ReconciliationRun,
    lines: AsyncIterable<StatementLine> | Iterable<StatementLine>,
    telling?: (count: number) => void,
  ): Promise<Reconciled>;
  /** Null if there is no such run. */
  of(runId: string): Promise<Reconciled | null>;
}

// A line costs some 25 buffers with its match.
const LINES_TOGETHER = 64;
const SHOWN_MAX = 1_000;
const FAILURE_MAX = 500;

type Deps = Readonly<{ newId: () => string }>;

export function openReconciliations(store: Pick<Store, 'run' | 'survey'>, { newId }: Deps): Reconciliations {
  const { run, survey } = store;
  const of = async (runId: string): Promise<Reconciled | null> => {
    const [found] = await run<ReconciliationRun>(
      Prisma.sql`select ${runColumns} from reconciliation_run where id = ${runId}::uuid`,
    );
    return found ? reconciled(survey, found) : null;
  };
  return {
    begin: async ({ provider, providerAccount, from, to }, askedBy) => {
      const [begun] = await run<ReconciliationRun>(Prisma.sql`
        insert into reconciliation_run (id, provider, provider_account, from_at, to_at, asked_by)
        values (${newId()}::uuid, ${provider}, ${providerAccount}, ${from}, ${to}, ${askedBy})
        returning ${runColumns}`);
      return begun!;
    },
    read: async (begun, lines, telling = () => {}) => {
      try {
        await storeAll({ run, newId }, begun, lines, telling);
        await openCases(run, begun, newId);
        await run(ended(begun.id, 'finished', null));
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        await run(ended(begun.id, 'failed', storable(why, FAILURE_MAX))).catch(() => {});
        throw error;
      }
      return (await of(begun.id))!;
    },
    of,
  };
}

async function storeAll(
  { run, newId }: Deps & Pick<Store, 'run'>,
  begun: ReconciliationRun,
  lines: Parameters<Reconciliations['read']>[1],
  telling: (count: number) => void,
): Promise<void> {
  const [keyed, gapBefore] = [keyer(), continuity<KeyedLine>()];
  let [batch, gaps, count]: [KeyedLine[], Gap<KeyedLine>[], number] = [[], [], 0];
  const store = async () => {
    if (batch.length > 0) await run(storedLines(begun, batch, newId));
    await storeGaps(run, begun, gaps, newId);
    [batch, gaps] = [[], []];
    telling(count);
  };
  for await (const line of lines) {
    const one = keyed(line);
    const gap = gapBefore(one);
    batch.push(one);
    if (gap) gaps.push(gap);
    count++;
    if (batch.length === LINES_TOGETHER) await store();
  }
  await store();
}

const runColumns = Prisma.sql`
  id,
  provider,
  provider_account as "providerAccount",
  from_at as "from",
  to_at as "to",
  status,
  failure,
  created_at as "createdAt",
  finished_at as "finishedAt"`;

const ended = (
  id: string,
  status: ReconciliationRun['status'],
  failure: string | null,
): Prisma.Sql => Prisma.sql`
  update reconciliation_run
  set status = ${status}, failure = ${failure}, finished_at = now()
  where id = ${id}::uuid and status = 'running'`;

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
