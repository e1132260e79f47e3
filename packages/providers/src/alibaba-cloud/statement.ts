import type { CallAnswer } from '../contract/order.js';
import type {
  ProviderLine,
  StatementOutcome,
  StatementPageAsk,
  StatementReads,
} from '../contract/statement.js';
import { PAGE_SIZE, readOnePage } from './list.js';
import { referenceIn } from './remark.js';
import type { ListedRow } from './rows.js';
import type { CloudRpc } from './rpc.js';

// The provider refuses offsets beyond its limit, which is not published. A longer window is read in halves.
const ROWS_MAX = 10_000;

type StatementOptions = Readonly<{ accountId: string; pageSize?: number; rowsMax?: number }>;

/** A page of a window. `total`: the rows of the window when its first page was read. Null: this is the first page. */
type PageOfWindow = Readonly<{ fromMs: number; toMs: number; page: number; total: number | null }>;

/**
 * The transaction list of our fund account, newest row first. The list is read in windows, the newest one first, so that
 * the lines keep their order from window to window.
 */
export const fundAccountStatement = (
  rpc: CloudRpc,
  { accountId, pageSize = PAGE_SIZE, rowsMax = ROWS_MAX }: StatementOptions,
): StatementReads => ({
  async read(ask, signal): Promise<CallAnswer<StatementOutcome>> {
    const at = placeOf(ask);
    const window = { accountId, from: new Date(at.fromMs), to: new Date(at.toMs - 1) };
    const read = await readOnePage(rpc, window, { number: at.page, size: pageSize }, signal);
    if ('failure' in read) {
      const { failure, refusedCode, httpStatus } = read;
      const isRefused = refusedCode !== null && failure?.kind === 'unknown' && failure.cause === 'unreadable';
      const facts = { httpStatus, providerCode: refusedCode };
      if (isRefused || failure === null)
        return {
          outcome: { kind: 'refused', code: refusedCode ?? '', message: 'the list was refused' },
          facts,
        };
      return { outcome: failure, facts };
    }
    return { outcome: pageOf(ask, at, read, { pageSize, rowsMax }), facts: OK };
  },
});

const OK = { httpStatus: 200, providerCode: null };

function pageOf(
  ask: StatementPageAsk,
  at: PageOfWindow,
  { total, rows }: Readonly<{ total: number; rows: readonly ListedRow[] }>,
  { pageSize, rowsMax }: Readonly<{ pageSize: number; rowsMax: number }>,
): StatementOutcome {
  const middleMs = Math.floor((at.fromMs + at.toMs) / 2);
  if (total > rowsMax && middleMs > at.fromMs)
    return { kind: 'read', lines: [], next: cursorOf({ ...at, fromMs: middleMs, page: 1, total: null }) };
  // Rows that became visible meanwhile have moved others to another page.
  if (at.total !== null && at.total !== total)
    return { kind: 'unknown', cause: 'unproven', code: 'ListMoved' };
  const isLastPage = at.page * pageSize >= total;
  const next = isLastPage
    ? at.fromMs > ask.from.getTime()
      ? cursorOf({ fromMs: ask.from.getTime(), toMs: at.fromMs, page: 1, total: null })
      : null
    : cursorOf({ ...at, page: at.page + 1, total });
  return { kind: 'read', lines: rows.map(lineOf), next };
}

const lineOf = (row: ListedRow): ProviderLine => ({
  line: row.number,
  at: row.at,
  orderId: row.number,
  reference: referenceIn(row.remark),
  direction: row.direction === 'IN' ? 'in' : 'out',
  amountMinor: row.amountMinor,
  currency: row.currency,
  balanceMinor: row.balanceMinor,
});

const cursorOf = ({ fromMs, toMs, page, total }: PageOfWindow): string =>
  [fromMs, toMs, page, total ?? ''].join('.');

/** The place that a cursor of ours names. @throws for any other cursor, which is a bug */
function placeOf({ from, to, after }: StatementPageAsk): PageOfWindow {
  if (after === null) return { fromMs: from.getTime(), toMs: to.getTime(), page: 1, total: null };
  const [, fromMs, toMs, page, total] = /^(\d+)\.(\d+)\.(\d+)\.(\d*)$/.exec(after) ?? [];
  if (page === undefined) throw new RangeError(`${after} is no place in the list`);
  return {
    fromMs: Number(fromMs),
    toMs: Number(toMs),
    page: Number(page),
    total: total ? Number(total) : null,
  };
}
