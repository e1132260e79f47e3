import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { here, verifyBooks } from './checkout.mjs';
import { hold, rows } from './ground.mjs';
import { statements } from './roofline-statements.mjs';

const run = promisify(execFile);
const CLIENTS = 16;

/**
 * Chooses pgbench if it is installed. The driver in Node uses CPU itself, which would make the product look better in
 * comparison.
 */
export async function chooseDriver() {
  const { stdout } = await run('pgbench', ['--version']).catch(() => ({ stdout: '' }));
  return stdout.trim() || 'a driver in Node (no pgbench on the PATH; it spends CPU that pgbench would not)';
}

/**
 * The number of recharges per second that Postgres alone can do: four commits each, without batches, in 16 sessions.
 * @param written rows per recharge that the product wrote into each table in this round. The roofline must write the
 *   same
 */
export async function runRoofline({ ground, driver, warmUpMs, measureMs, written }) {
  const database = await here.createDatabase();
  const script = statements({ hasUuid7: ground.postgres.hasUuid7 });
  const drive = driver.startsWith('pgbench') ? drivePgbench : driveNode;
  await drive({ ground, script, url: database.url, seconds: warmUpMs / 1_000 });
  await ground.checkpoint();
  const rate = await drive({ ground, script, url: database.url, seconds: measureMs / 1_000 });
  await verifyBooks(database.url);
  const mine = await rowsARecharge(database.url);
  hold(
    JSON.stringify(mine) === JSON.stringify(written),
    `the roofline writes ${JSON.stringify(mine)} rows a recharge, the product ${JSON.stringify(written)}`,
  );
  await database.release();
  return rate;
}

const TABLES = [
  ...['recharge_request', 'recharge_transaction', 'transition', 'provider_call', 'webhook_event'],
  ...['ledger_journal', 'ledger_entry'],
];

/**
 * The rows per recharge in each table. They are rounded, so that a single extra query to the provider is not mistaken
 * for a different workload.
 */
export async function rowsARecharge(url) {
  const counts = TABLES.map((table) => `(select count(*)::int from ${table}) as ${table}`);
  const [row] = await rows(url, `select ${counts.join(', ')}`);
  return Object.fromEntries(
    TABLES.map((table) => [table, Math.round(row[table] / row.recharge_transaction)]),
  );
}

async function drivePgbench({ ground, script, url, seconds }) {
  const file = join(ground.dir, 'roofline.sql');
  const text = script.map(({ sql, sets }) => `${sql}${sets ? ' \\gset' : ';'}`).join('\n');
  writeFileSync(file, `\\set account random(0, 9999)\n\\set amount random(1000, 9999)\n${text}\n`);
  const { pathname, hostname, port, username, password } = new URL(url);
  const { stdout } = await run(
    'pgbench',
    [
      ...[
        '--no-vacuum',
        '--protocol=prepared',
        `--client=${CLIENTS}`,
        '--jobs=2',
        `--time=${Math.ceil(seconds)}`,
      ],
      ...[
        `--file=${file}`,
        `--host=${hostname}`,
        `--port=${port}`,
        `--username=${username}`,
        pathname.slice(1),
      ],
    ],
    { env: { PATH: process.env.PATH, PGPASSWORD: decodeURIComponent(password) } },
  );
  const failed = /number of failed transactions: (\d+)/.exec(stdout)?.[1] ?? '0';
  hold(failed === '0', `pgbench: ${failed} failed`);
  return Number(/^tps = ([\d.]+)/m.exec(stdout)[1]);
}

async function driveNode({ script, url, seconds }) {
  const prepared = script.map(({ sql }, n) => ({ name: `s${n}`, ...positional(sql) }));
  const endsAtMs = performance.now() + seconds * 1_000;
  let lives = 0;
  const live = async () => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    while (performance.now() < endsAtMs) {
      const values = {
        account: Math.floor(Math.random() * 10_000),
        amount: 1_000 + Math.floor(Math.random() * 9_000),
      };
      for (const { name, text, names } of prepared) {
        const answer = await client.query({ name, text, values: names.map((one) => String(values[one])) });
        Object.assign(values, answer.rows[0]);
      }
      lives++;
    }
    await client.end();
  };
  await Promise.all(Array.from({ length: CLIENTS }, live));
  return lives / seconds;
}

/** Replaces `:name` of pgbench by `$1`, `$2` and so on. As in pgbench, every occurrence is a parameter of its own. */
function positional(sql) {
  const names = [];
  const text = sql.replaceAll(/(?<!:):([a-z]+)/g, (_, name) => `$${names.push(name)}`);
  return { text, names };
}
