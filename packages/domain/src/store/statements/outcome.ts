import { Prisma } from '../../generated/client.js';
import type { Run, Store } from '../database/database.js';
import { differencesOf, type StatementDifference } from './differences.js';
import { gapsOf, type StoredGap } from './gaps.js';
import type { Period } from './parts.js';
import { keptOf, type ReconciliationRun } from './run-rows.js';

/** What a run found. Each list has 1,000 rows at most; the view `report.statement_lines` has all. */
export type RunOutcome = Readonly<{
  /** Lines of the period that have their recharge. */
  matched: number;
  oursOnly: readonly StatementDifference[];
  theirsOnly: readonly StatementDifference[];
  different: readonly StatementDifference[];
  gaps: readonly StoredGap[];
}>;

type KeptGap = Omit<StoredGap, 'missingMinor'> & Readonly<{ missingMinor: string }>;
type KeptOutcome = Omit<RunOutcome, 'gaps'> & Readonly<{ gaps: readonly KeptGap[] }>;

const SHOWN_MAX = 1_000;

const nothing: RunOutcome = {
  matched: 0,
  oursOnly: [],
  theirsOnly: [],
  different: [],
  gaps: [],
};

/**
 * What a run found: as its end kept it, and nothing while it runs. Only a run that an older release ended is compared
 * again.
 */
export async function outcomeOf(
  { read, survey }: Pick<Store, 'read' | 'survey'>,
  run: ReconciliationRun,
): Promise<RunOutcome> {
  if (run.status === 'running') return nothing;
  const kept = (await keptOf(read, run.id)) as KeptOutcome | null;
  if (kept === null) return compared(survey, run);
  return {
    ...kept,
    gaps: kept.gaps.map((gap) => ({ ...gap, missingMinor: BigInt(gap.missingMinor) })),
  };
}

/** Compares the stored lines of a period with the books. It reads each line and each recharge of the period. */
export async function compared(survey: Run, period: Period): Promise<RunOutcome> {
  const [counted] = await survey<{ matched: number }>(Prisma.sql`
    select count(*)::int as matched
    from statement_line line
    join statement_match found on found.line_id = line.id
    where line.provider = ${period.provider} and line.provider_account = ${period.providerAccount}
      and line.at >= ${period.from} and line.at < ${period.to}`);
  return {
    matched: counted!.matched,
    oursOnly: await differencesOf(survey, 'statement_ours_only', period, SHOWN_MAX),
    theirsOnly: await differencesOf(survey, 'statement_theirs_only', period, SHOWN_MAX),
    different: await differencesOf(survey, 'statement_different', period, SHOWN_MAX),
    gaps: await gapsOf(survey, period, SHOWN_MAX),
  };
}

/** An outcome as JSON. The missing money of a gap is a text in it. */
export const inJson = (outcome: RunOutcome): string =>
  JSON.stringify(outcome, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
