import type { CallAnswer, QueryOutcome, ScanEvidence, SubmitTimes } from '../contract/order.js';
import { SKEW_MAX_MS } from './clock.js';
import { type ListReading, readList } from './list.js';
import { meaningOf, type RemarkKeys, type RemarkMeaning, type TransferTerms } from './remark.js';
import type { ListedRow } from './rows.js';
import type { CloudRpc } from './rpc.js';

export type ScanOptions = Readonly<{
  keys: RemarkKeys;
  /** The end of the transfer that is our account. Its list is always read. */
  own: 'from' | 'to';
  /** Whether the list of the other account is read too, where the key has the right. */
  readsBothSides: boolean;
  now: () => Date;
  pageSize?: number;
}>;

// The provider executes a call whose date differs from its clock by up to 15 minutes, and cuts the time of a row to a
// second. Our clock may differ by more, because the date of a call is corrected. With a smaller margin, the row of an
// executed call could lie outside of the window.
const MARGIN_MS = 16 * 60_000 + SKEW_MAX_MS;

/** The account at each end of a transfer, with the direction that its list shows. */
const OUT = { of: 'from', direction: 'OUT' } as const;
const IN = { of: 'to', direction: 'IN' } as const;

/**
 * Looks for a transfer in the transaction list. The provider takes no reference and answers no id, so the remark is the
 * only proof. The answer `absent` needs every row of the window, and no row that may be the transfer.
 */
export async function scanFor(
  rpc: CloudRpc,
  terms: TransferTerms,
  submits: SubmitTimes,
  options: ScanOptions,
  signal: AbortSignal,
): Promise<CallAnswer<QueryOutcome>> {
  const begunAt = options.now();
  const from = new Date(submits.firstStartedAt.getTime() - MARGIN_MS);
  const to = new Date(begunAt.getTime() + MARGIN_MS);
  const read = (accountId: string) => readList(rpc, { accountId, from, to }, signal, options.pageSize);
  const [own, far] = options.own === 'from' ? ([OUT, IN] as const) : ([IN, OUT] as const);
  const ours = await read(terms.destination[own.of]);
  const other = options.readsBothSides && !ours.failure ? await read(terms.destination[far.of]) : null;
  // If we may not read the other account's list, our list alone counts.
  const theirs = other && isForbidden(other) ? null : other;
  const sides = [
    { reading: ours, direction: own.direction },
    ...(theirs ? [{ reading: theirs, direction: far.direction }] : []),
  ].map(({ reading, direction }) => ({ reading, ...sortRows(reading, direction, terms, options.keys) }));
  const readings = sides.map(({ reading }) => reading);
  const isComplete = readings.every((reading) => reading.isComplete);
  const suspects = sides.flatMap((side) => side.suspects.map(({ number }) => number));
  const evidence: ScanEvidence = {
    ...{ windowFrom: from.toISOString(), windowTo: to.toISOString() },
    ...{ begunAt: begunAt.toISOString(), endedAt: options.now().toISOString() },
    sides: theirs ? 'both' : 'source',
    pages: readings.reduce((sum, { pages }) => sum + pages, 0),
    rows: readings.reduce((sum, { rows }) => sum + rows.size, 0),
    newestRowAt: newestOf(readings),
    ...{ isComplete, suspects },
  };
  const failed = readings.find(({ failure }) => failure !== null);
  const facts = {
    httpStatus: failed ? failed.httpStatus : 200,
    providerCode: failed?.refusedCode ?? null,
  };
  const outcome = foundIn(sides) ?? outcomeWithoutRow(failed, evidence);
  return { outcome, facts, evidence };
}

function outcomeWithoutRow(failed: ListReading | undefined, evidence: ScanEvidence): QueryOutcome {
  if (failed?.failure) return failed.failure;
  if (evidence.suspects.length > 0) return { kind: 'unknown', cause: 'unproven', code: 'SuspectRow' };
  if (!evidence.isComplete) return { kind: 'unknown', cause: 'unproven', code: 'IncompleteScan' };
  return { kind: 'absent' };
}

type Sorted = Readonly<{ ours: ListedRow[]; contrary: ListedRow[]; suspects: ListedRow[] }>;

/**
 * `contrary` rows have our proof and the wrong direction: money came back. As long as there are `suspects`, the order
 * does not count as absent.
 */
function sortRows(
  { rows }: ListReading,
  direction: ListedRow['direction'],
  terms: TransferTerms,
  keys: RemarkKeys,
): Sorted {
  const all = [...rows.values()].map((row) => ({ row, meaning: meaningOf(row.remark, terms, keys) }));
  const of = (meaning: RemarkMeaning) => all.filter((one) => one.meaning === meaning).map(({ row }) => row);
  const isLike = (row: ListedRow) =>
    row.direction === direction && row.amountMinor === terms.amountMinor && row.currency === terms.currency;
  const contrary = of('ours').filter((row) => row.direction !== direction);
  return {
    ours: of('ours').filter((row) => row.direction === direction),
    contrary,
    suspects: [...contrary, ...of('unproven'), ...of('blank').filter(isLike)],
  };
}

/** The outcome of proven rows. Each list shows a transfer as one row, so two rows of one list are two transfers. */
function foundIn(sides: readonly Sorted[]): QueryOutcome | null {
  const count = Math.max(...sides.map(({ ours }) => ours.length));
  if (count > 1) return { kind: 'several', count };
  const [row] = sides.flatMap(({ ours }) => ours);
  if (!row) return null;
  const isPartlyRead = sides.some(({ contrary }) => contrary.length > 0);
  return {
    ...{ kind: 'found', status: 'settled', providerOrderId: row.number, accountId: null },
    ...{ amountMinor: row.amountMinor, currency: row.currency },
    ...(isPartlyRead ? { isPartlyRead } : {}),
  };
}

const forbidden: ReadonlySet<string | null> = new Set([
  'NoFundAccountPermission',
  'NoPermission',
  'Forbidden.RAM',
]);
const isForbidden = ({ refusedCode }: ListReading): boolean => forbidden.has(refusedCode);

function newestOf(readings: readonly ListReading[]): string | null {
  const times = readings.flatMap(({ rows }) => [...rows.values()].map(({ at }) => at.getTime()));
  return times.length === 0 ? null : new Date(Math.max(...times)).toISOString();
}
