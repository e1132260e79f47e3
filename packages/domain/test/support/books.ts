import { newRecharge as aRecharge, createDatabase, execute } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { News } from '../../src/core/recharge.js';
import {
  type Domain,
  type DomainOptions,
  type NewRecharge,
  openDomain,
  type RechargeReport,
} from '../../src/index.js';

export const CLIENT = '00000000-0000-7000-8000-00000000000a';
export const OTHER_CLIENT = '00000000-0000-7000-8000-00000000000b';
export const RECONCILE_AFTER_MS = 60_000;

/** A database of one's own with a Domain on it, and plain SQL for what no Domain would do. */
export interface Books {
  readonly url: string;
  readonly domain: Domain;
  /** Another process, as far as the database can tell. */
  open(options?: Partial<DomainOptions>): Domain;
  /** Ends every Domain opened so far, as at the end of their processes. */
  closeDomains(): Promise<void>;
  rows<Row extends object = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

export async function openBooks(): Promise<Books> {
  const database = await createDatabase();
  const opened: Domain[] = [];
  const open = (options: Partial<DomainOptions> = {}): Domain => {
    const domain = openDomain({
      databaseUrl: database.url,
      poolMax: 4,
      reconcileAfterMs: RECONCILE_AFTER_MS,
      providerTimeoutMs: 1_000,
      ...options,
    });
    opened.push(domain);
    return domain;
  };
  const closeDomains = async () => {
    await Promise.all(opened.splice(0).map((domain) => domain.close()));
  };
  await execute(
    database.url,
    `insert into client (id, name, env) values ('${CLIENT}', 'books', 'test'), ('${OTHER_CLIENT}', 'other books', 'test')`,
  );
  const sql = new pg.Pool({ connectionString: database.url, max: 2 });
  sql.on('error', () => {});
  return {
    url: database.url,
    domain: open(),
    open,
    closeDomains,
    rows: async (text, values = []) => (await sql.query(text, values)).rows,
    close: async () => {
      await Promise.all([sql.end(), closeDomains()]);
      await database.release();
    },
  };
}

/** Ids of one process grow, also within a millisecond. */
export const newRecharge = (over: Partial<NewRecharge> = {}): NewRecharge =>
  aRecharge({ id: uuidv7(), ...over });

export const told = (
  transactionId: string,
  news: News,
  over: Partial<RechargeReport> = {},
): RechargeReport => ({
  transactionId,
  news,
  source: 'submission',
  reason: 'as tested',
  ...over,
});

/** Creates a recharge and tells it `news`, one after the other. Returns its id. */
export async function recharged(
  domain: Domain,
  over: Partial<NewRecharge>,
  ...news: readonly News[]
): Promise<string> {
  const ask = newRecharge(over);
  const created = await domain.createRecharge(ask);
  if (!created.ok) throw new Error(created.problem);
  for (const heard of news) await domain.applyNews(told(ask.id, heard));
  return ask.id;
}

/** Money on a wallet, by the way that money comes. */
export const deposit = (domain: Domain, accountId: string, amountMinor: bigint): Promise<string> =>
  recharged(domain, { accountId, amountMinor }, 'submit', 'settled');

export const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
