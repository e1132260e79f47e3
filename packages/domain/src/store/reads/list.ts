import { states as allStates, type State } from '../../core/recharge.js';
import type { Run } from '../database/database.js';
import { rangesOf } from './account-ranges.js';
import {
  byAccounts,
  byId,
  byTime,
  examine,
  type ListQuery,
  ordered,
  type Walk,
  type WalkOrder,
  walks,
} from './list-statements.js';
import type { RechargeView } from './view.js';

export type ListFilter = Readonly<{
  /** The client whose recharges are listed. Null: all clients. */
  clientId: string | null;
  /** SQL LIKE patterns of the accounts that the caller may see. */
  accountPatterns: readonly string[];
  accountId?: string | undefined;
  states?: readonly State[] | undefined;
  orderReference?: string | undefined;
  /** The earliest time of a recharge (inclusive), by the database's clock, like `createdAt`. */
  createdFrom?: Date | undefined;
  /** The end of the time span (exclusive). */
  createdTo?: Date | undefined;
  /** `nextId` of the previous page. */
  beforeId?: string | undefined;
  limit: number;
}>;

export type RechargePage = Readonly<{
  /** The recharges, newest first by the database's time. */
  rows: readonly RechargeView[];
  /**
   * The place where the next page begins. Null at the end. A page with fewer rows than its limit may have a next one:
   * see ROUNDS.
   */
  nextId: string | null;
}>;

// A statement reads one buffer per recharge, nine per pair of account and state, and thirty per row of the page.
// With these limits no statement of a list touches more than 2,000 buffers.
const EXAMINED_MAX = 300;
const STREAMS_MAX = 48;
// No index has the order of time for rare recharges of many accounts. Up to 7 statements look for them and examine
// 2,100 recharges. Then the page is answered with the recharges found so far, and the next page continues after the last
// one that was examined.
const ROUNDS = 7;

/**
 * A page of a client's recharges. Each filter reads an index that has its rows in the order of time. So the cost of a
 * page depends on its own rows alone.
 * - One account, or all accounts: one walk per state.
 * - Accounts by pattern: first the newest recharges, since most patterns cover many accounts. If they do not fill the
 *   page, one walk per account and state where the pattern covers few accounts, and more of the newest elsewhere.
 * - An order reference: its recharges, in rounds.
 * - All clients: see `ofAllClients`.
 */
export async function listRecharges(run: Run, filter: ListFilter): Promise<RechargePage> {
  const query = queryOf(filter);
  if (query.clientId === null) return ofAllClients(run, query);
  if (query.orderReference !== null) return inRounds(run, query, walks.ofReference, ROUNDS);
  if (query.accountId !== null) return pageOf(query, await run(ordered(query, walks.ofAccount)));
  if (query.patterns.includes('%')) return pageOf(query, await run(ordered(query, walks.ofClient)));
  const newest = await inRounds(run, query, walks.ofClient, 1);
  if (newest.nextId === null || newest.rows.length === filter.limit) return newest;
  return (await ofFewAccounts(run, query)) ?? inRounds(run, query, walks.ofClient, ROUNDS);
}

/**
 * A page of the recharges of all clients. An account and an order reference have a walk per client, which makes such a
 * page cost four buffers per client. No index has the order of time of all recharges, so the others are read in rounds
 * in the order of their ids, which is the order of time but for the clocks of the processes that made them.
 */
async function ofAllClients(run: Run, query: ListQuery): Promise<RechargePage> {
  if (query.orderReference !== null) return inRounds(run, query, walks.ofReferenceEverywhere, ROUNDS);
  if (query.accountId !== null) return pageOf(query, await run(ordered(query, walks.ofAccountEverywhere)));
  return inRounds(run, query, walks.ofAll, ROUNDS, byId);
}

const queryOf = (filter: ListFilter): ListQuery => ({
  clientId: filter.clientId,
  patterns: filter.accountPatterns,
  accountId: filter.accountId ?? null,
  states: filter.states ?? allStates,
  orderReference: filter.orderReference ?? null,
  from: filter.createdFrom ?? null,
  to: filter.createdTo ?? null,
  beforeId: filter.beforeId ?? null,
  // One row more than the page holds shows whether there is another page.
  rows: filter.limit + 1,
});

const pageOf = ({ rows }: ListQuery, found: readonly RechargeView[]): RechargePage =>
  found.length < rows
    ? { rows: found, nextId: null }
    : { rows: found.slice(0, rows - 1), nextId: found[rows - 2]!.id };

/** Null if the patterns cover more accounts than one statement may look at. */
async function ofFewAccounts(run: Run, query: ListQuery): Promise<RechargePage | null> {
  const ranges = rangesOf(query.patterns);
  if (ranges.length > STREAMS_MAX) return null;
  const found = await run<RechargeView & { few: boolean }>(byAccounts(query, ranges, STREAMS_MAX));
  if (!found[0]!.few) return null;
  return pageOf(
    query,
    found.filter(isThere).map(({ few: _, ...recharge }) => recharge),
  );
}

async function inRounds(
  run: Run,
  query: ListQuery,
  walk: Walk,
  rounds: number,
  order: WalkOrder = byTime,
): Promise<RechargePage> {
  const rows: RechargeView[] = [];
  let { beforeId } = query;
  for (let round = 0; round < rounds; round++) {
    const rest = { ...query, beforeId, rows: query.rows - rows.length };
    const found = await run<RechargeView & { examined: number; lastId: string | null }>(
      examine(rest, walk, order, EXAMINED_MAX),
    );
    rows.push(...found.filter(isThere).map(({ examined: _, lastId: __, ...recharge }) => recharge));
    const { examined, lastId } = found[0]!;
    if (rows.length === query.rows || examined < EXAMINED_MAX) return pageOf(query, rows);
    beforeId = lastId;
  }
  return { rows, nextId: beforeId };
}

/** A statement that finds no recharge still tells how far it looked, in one row whose recharge is null. */
const isThere = ({ id }: { id: string | null }): boolean => id !== null;
