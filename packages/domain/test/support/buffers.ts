import { openPool } from '@replenish/runtime/postgres';
import pg from 'pg';
import { sessionPins } from '../../src/store/database/database.js';

type Statement = Readonly<{ text: string; values: readonly unknown[] }>;

/** The most buffers for a statement that runs per request or on a timer: a tenth of a second of a cold disk. */
export const BUFFERS_MAX = 2_000;

/** The buffers of 8 kB that a statement touched, with the plan that touches more. */
export type Touched = Readonly<{ buffers: number; text: string }>;

/**
 * Runs `work` and counts the buffers that each of its statements touches: with a plan for its values, and with a plan for
 * all values, as a connection makes it after five runs. For that the statements are run again and rolled back.
 */
export async function buffersOf(url: string, work: () => Promise<unknown>): Promise<Touched[]> {
  const statements = await recorded(work);
  const pool = openPool({ databaseUrl: url, pins: sessionPins, max: 1, connectLimitMs: 5_000 });
  const client = await pool.connect();
  try {
    const touched: Touched[] = [];
    for (const statement of statements)
      for (const mode of ['force_custom_plan', 'force_generic_plan'])
        touched.push({ text: statement.text, buffers: await explained(client, statement, mode) });
    return touched;
  } finally {
    client.release();
    await pool.end();
  }
}

/** Records all statements of the store. They all go through the pool's `query`. */
async function recorded(work: () => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  const { query } = pg.Pool.prototype;
  pg.Pool.prototype.query = function (this: pg.Pool, ...args: unknown[]) {
    const [config, values] = args as [string | Statement, unknown[] | undefined];
    const text = typeof config === 'string' ? config : config.text;
    statements.push({ text, values: values ?? (typeof config === 'string' ? [] : (config.values ?? [])) });
    return (query as (...all: unknown[]) => unknown).apply(this, args);
  } as typeof query;
  try {
    await work();
  } finally {
    pg.Pool.prototype.query = query;
  }
  return statements;
}

type Plan = Readonly<{ 'Shared Hit Blocks': number; 'Shared Read Blocks': number }>;

async function explained(client: pg.ClientBase, { text, values }: Statement, mode: string): Promise<number> {
  await client.query('begin');
  try {
    await client.query(`set local plan_cache_mode = ${mode}`);
    await client.query(`prepare looked_at as ${text}`);
    const given = values.length > 0 ? `(${values.map(literalOf).join(', ')})` : '';
    const { rows } = await client.query(`explain (analyze, buffers, format json) execute looked_at${given}`);
    const plan: Plan = rows[0]['QUERY PLAN'][0].Plan;
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
  } finally {
    await client.query('rollback');
    await client.query('deallocate all');
  }
}

function literalOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return pg.escapeLiteral(`{${value.map(elementOf).join(',')}}`);
  if (value instanceof Date) return pg.escapeLiteral(value.toISOString());
  if (Buffer.isBuffer(value)) return pg.escapeLiteral(`\\x${value.toString('hex')}`);
  return pg.escapeLiteral(String(value));
}

const elementOf = (value: unknown): string => `"${String(value).replace(/["\\]/g, '\\$&')}"`;
