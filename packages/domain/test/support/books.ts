import { newRecharge as aRecharge, createDatabase, execute } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { News } from '../../src/core/recharge.js';
import {
  type Domain,
  type DomainOptions,
  type NewRecharge,
  type NewRefund,
  openDomain,
  type RechargeReport,
} from '../../src/index.js';

export const CLIENT = '00000000-0000-7000-8000-00000000000a';
export const OTHER_CLIENT = '00000000-0000-7000-8000-00000000000b';
export const RECONCILE_AFTER_MS = 60_000;

/** A database for one test file with a Domain on it, and plain SQL for changes that a Domain never makes. */
export interface Books {
  readonly url: string;
  readonly domain: Domain;
  /** Opens a second Domain on the same database, as another process would. */
  open(options?: Partial<DomainOptions>): Domain;
  /** Closes all Domains that are open, as the end of their processes would. */
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

/** A request whose id is greater than all ids made before it, also within one millisecond. */
export const newRecharge = (over: Partial<NewRecharge> = {}): NewRecharge =>
  aRecharge({ id: uuidv7(), ...over });

/** A request for a refund of what is left of a recharge. */
export const newRefund = (of: string, over: Partial<NewRefund> = {}): NewRefund => {
  const id = uuidv7();
  return {
    ...{ id, of, clientId: CLIENT, idempotencyKey: `refund-${id}`, amountMinor: null },
    ...{ reason: 'ordered twice', correlationId: 'c-1' },
    ...over,
  };
};

export const reportOf = (
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

/** Creates a recharge and reports `news` about it, one after the other. Returns its id. */
export async function recharged(
  domain: Domain,
  over: Partial<NewRecharge>,
  ...news: readonly News[]
): Promise<string> {
  const ask = newRecharge(over);
  const created = await domain.createRecharge(ask);
  if (!created.ok) throw new Error(created.problem);
  for (const heard of news) await domain.applyNews(reportOf(ask.id, heard));
  return ask.id;
}

/** Puts money into a wallet by a collection that succeeds. */
export const deposit = (domain: Domain, accountId: string, amountMinor: bigint): Promise<string> =>
  recharged(domain, { accountId, amountMinor }, 'submit', 'settled');

export const times = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));
