import type { NoDefiniteAnswer } from '../contract/order.js';
import { meaningOfCode } from './codes.js';
import { type ListedPage, type ListedRow, readPage } from './rows.js';
import { type CloudRpc, factsOfExchange } from './rpc.js';

export type ListWindow = Readonly<{ accountId: string; from: Date; to: Date }>;

/** The rows of a window. `failure` is the answer that ended the reading early. */
export type ListReading = Readonly<{
  rows: ReadonlyMap<string, ListedRow>;
  pages: number;
  /** Whether every row that existed when the reading began was read. */
  isComplete: boolean;
  failure: NoDefiniteAnswer | null;
  /** The code of a refusal that reading again does not change, such as a missing right on the account. */
  refusedCode: string | null;
  httpStatus: number | null;
}>;

/** The provider's largest page. */
export const PAGE_SIZE = 200;
// The provider refuses offsets beyond its limit, which is not published.
const PAGES_MAX = 50;
// The pages of a busy account may move in every pass. Then the reading stays incomplete, and is made again later.
const PASSES_MAX = 5;

/** Reads all pages of a window, without a filter by type: a transfer of an unexpected type must not be overlooked. */
export async function readList(
  rpc: CloudRpc,
  window: ListWindow,
  signal: AbortSignal,
  pageSize = PAGE_SIZE,
): Promise<ListReading> {
  const rows = new Map<string, ListedRow>();
  const reading = { rows, pages: 0, failure: null, refusedCode: null, httpStatus: 200, isComplete: false };
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const result = await readPass(rpc, window, signal, pageSize);
    reading.pages += result.pages;
    for (const row of result.rows) rows.set(row.number, row);
    if (result.failed) return { ...reading, ...result.failed };
    if (result.isComplete) return { ...reading, isComplete: true };
  }
  return reading;
}

/** A page that was not read. */
export type Failed = Pick<ListReading, 'failure' | 'refusedCode' | 'httpStatus'>;
type Pass = Readonly<{ rows: ListedRow[]; pages: number; isComplete: boolean; failed: Failed | null }>;

/**
 * Reads the pages once. Rows may become visible meanwhile and move others to another page, and rows of one second may
 * change places. A pass is complete when the list kept its length, and the pages had as many different rows as it has.
 * Rows of a ledger do not vanish, so none can be replaced by another one in the count.
 */
async function readPass(
  rpc: CloudRpc,
  window: ListWindow,
  signal: AbortSignal,
  pageSize: number,
): Promise<Pass> {
  const rows: ListedRow[] = [];
  const totals: number[] = [];
  const end = (more: Partial<Pass>): Pass => ({
    rows,
    pages: totals.length,
    isComplete: false,
    failed: null,
    ...more,
  });
  for (let number = 1; number <= PAGES_MAX; number++) {
    const page = await readOnePage(rpc, window, { number, size: pageSize }, signal);
    if ('failure' in page) return end({ failed: page });
    totals.push(page.total);
    rows.push(...page.rows);
    if (number * pageSize >= page.total) {
      const distinct = new Set(rows.map((row) => row.number)).size;
      const isStill = totals.every((total) => total === page.total);
      return end({ isComplete: isStill && distinct === page.total });
    }
  }
  return end({});
}

export async function readOnePage(
  rpc: CloudRpc,
  { accountId, from, to }: ListWindow,
  { number, size }: Readonly<{ number: number; size: number }>,
  signal: AbortSignal,
): Promise<ListedPage | Failed> {
  const exchange = await rpc.call(
    {
      version: '2023-09-30',
      action: 'GetFundAccountTransactionDetails',
      query: { CurrentPage: String(number), PageSize: String(size) },
      form: {
        FundAccountId: accountId,
        StartTime: String(from.getTime()),
        EndTime: String(to.getTime()),
      },
    },
    signal,
  );
  const { httpStatus, providerCode } = factsOfExchange(exchange);
  const failed = (failure: NoDefiniteAnswer | null): Failed => ({
    failure,
    refusedCode: providerCode,
    httpStatus,
  });
  // An abort between two pages is a time-out of the whole reading, although this page was not asked for.
  if (signal.aborted && number > 1) return failed({ kind: 'unknown', cause: 'timeout' });
  if (exchange.kind === 'unanswered') return failed(exchange.outcome);
  if (exchange.kind === 'refused') {
    const meaning = meaningOfCode(exchange);
    // A refused question says nothing about the order.
    return failed(meaning.kind === 'rejected' ? unread(meaning.code) : meaning);
  }
  return readPage(exchange.json) ?? failed(unread());
}

const unread = (code?: string): NoDefiniteAnswer => ({
  kind: 'unknown',
  cause: 'unreadable',
  ...(code === undefined ? {} : { code }),
});
