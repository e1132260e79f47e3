import { openPool } from '@replenish/runtime/postgres';
import pg from 'pg';
import { sessionPins } from '../../src/store/database/database.js';

type Statement = Readonly<{ text: string; values: readonly unknown[] }>;

/**
 * The most buffers of a statement that runs per request or on a timer. A cold disk reads them in a tenth of a second.
 */
export const BUFFERS_MAX = 2_000;

/** The buffers of 8 kB that a statement touched, with the plan that touches more. */
export type Touched = Readonly<{
  buffers: number;
  /** Tables that were read from end to end. */
  scanned: readonly string[];
  text: string;
}>;

/**
 * Runs `work` and counts the buffers that each of its statements touches. Each statement is run again with two plans
 * and rolled back: with a plan for its values, and with the plan for all values that a connection uses after five runs.
 */
export async function buffersOf(url: string, work: () => Promise<unknown>): Promise<Touched[]> {
  const statements: Statement[] = [];
  await hooked(async (statement) => void statements.push(statement), work);
  return explaining(url, async (explain) => {
    const touched: Touched[] = [];
    for (const statement of statements) touched.push(...(await explain(statement)));
    return touched;
  });
}

/**
 * Counts buffers like `buffersOf`, for statements that write. Each is tried and rolled back before its own run, since
 * it would find no work afterwards.
 */
export const buffersOfWrites = (url: string, work: () => Promise<unknown>): Promise<Touched[]> =>
  explaining(url, async (explain) => {
    const touched: Touched[] = [];
    let last: Promise<unknown> = Promise.resolve();
    const before = (statement: Statement): Promise<void> => {
      const tried = last.then(async () => void touched.push(...(await explain(statement))));
      last = tried.catch(() => {});
      return tried;
    };
    await hooked(before, work);
    return touched;
  });

async function explaining<Result>(
  url: string,
  work: (explain: (statement: Statement) => Promise<Touched[]>) => Promise<Result>,
): Promise<Result> {
  const pool = openPool({ databaseUrl: url, pins: sessionPins, max: 1, connectLimitMs: 5_000 });
  const client = await pool.connect();
  try {
    return await work(async (statement) => [
      await explained(client, statement, 'force_custom_plan'),
      await explained(client, statement, 'force_generic_plan'),
    ]);
  } finally {
    client.release();
    await pool.end();
  }
}

/** Runs `work` with a function before each statement of the store. They all go through the pool's `query`. */
async function hooked(
  before: (statement: Statement) => Promise<void>,
  work: () => Promise<unknown>,
): Promise<void> {
  const { query } = pg.Pool.prototype;
  pg.Pool.prototype.query = async function (this: pg.Pool, ...args: unknown[]) {
    const [config, values] = args as [string | Statement, unknown[] | undefined];
    const text = typeof config === 'string' ? config : config.text;
    await before({ text, values: values ?? (typeof config === 'string' ? [] : (config.values ?? [])) });
    return (query as (...all: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  try {
    await work();
  } finally {
    pg.Pool.prototype.query = query;
  }
}

type Plan = Readonly<{
  'Node Type': string;
  'Relation Name'?: string;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: readonly Plan[];
}>;

async function explained(client: pg.ClientBase, { text, values }: Statement, mode: string): Promise<Touched> {
  await client.query('begin');
  try {
    await client.query(`set local plan_cache_mode = ${mode}`);
    await client.query(`prepare looked_at as ${text}`);
    const given = values.length > 0 ? `(${values.map(literalOf).join(', ')})` : '';
    const { rows } = await client.query(`explain (analyze, buffers, format json) execute looked_at${given}`);
    const plan: Plan = rows[0]['QUERY PLAN'][0].Plan;
    const buffers = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    return { buffers, scanned: scannedBy(plan), text };
  } finally {
    await client.query('rollback');
    await client.query('deallocate all');
  }
}

const scannedBy = (plan: Plan): string[] => [
  ...(plan['Node Type'] === 'Seq Scan' ? [plan['Relation Name'] ?? ''] : []),
  ...(plan.Plans ?? []).flatMap(scannedBy),
];

function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map(elementOf).join(',')}}`);
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  if (Buffer.isBuffer(value)) return pg.escapeLiteral(`\\x${value.toString('hex')}`);
  return pg.escapeLiteral(String(value));
}

const elementOf = (value: unknown): string => `"${String(value).replace(/["\\]/g, '\\$&')}"`;
