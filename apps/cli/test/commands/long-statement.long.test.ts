import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { createDatabase, execute, type TestDatabase } from '@replenish/testing';

jest.setTimeout(900_000);

const LINES = 200_000;
const MEMORY_MAX_MB = 300;
const NEWEST_MS = Date.UTC(2026, 10, 1);
const atOf = (n: number): Date => new Date(NEWEST_MS - (LINES - n) * 1_000);
const CLI = join(import.meta.dirname, '../../bin/replenish.mjs');

let database: TestDatabase;
const dir = mkdtempSync(join(tmpdir(), 'replenish-statement-'));
const file = join(dir, 'statement.csv');

/** Makes as many recharges that succeeded as the statement has lines. */
beforeAll(async () => {
  database = await createDatabase();
  await execute(
    database.url,
    `set session_replication_role = replica;
     insert into recharge_transaction (id, client_id, account_id, kind, state, confirmation, amount_minor, currency,
         payment_method, provider, provider_order_id, next_step, due_at, attempt, created_at, succeeded_at)
       select uuid_from(at), '00000000-0000-7000-8000-00000000000a', 'acct-1', 'collect', 'SUCCEEDED', 'acknowledged', 100,
         'USD', 'sandbox', 'sandbox', 'order-' || n, null, null, 1, at, at
       from (select n, '${atOf(0).toISOString()}'::timestamptz + n * interval '1 second' as at
         from generate_series(1, ${LINES}) n) made;
     analyze`,
  );
  const out = createWriteStream(file);
  out.write('line,at,orderId,reference,direction,amount,currency,balance\n');
  for (let n = 1; n <= LINES; n++)
    if (!out.write(`${n},${atOf(n).toISOString()},order-${n},,in,100,USD,${n * 100}\n`))
      await once(out, 'drain');
  out.end();
  await once(out, 'finish');
});
afterAll(async () => {
  await database.release();
  rmSync(dir, { recursive: true });
});

/** The highest resident memory of a process so far. Null once it has ended. */
function memoryMbOf(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1]) / 1_024);
  } catch {
    return null;
  }
}

test(`${LINES} lines are compared in less than ${MEMORY_MAX_MB} MB`, async () => {
  const period = ['--from', atOf(0).toISOString(), '--to', new Date(NEWEST_MS + 1_000).toISOString()];
  const child = spawn(
    process.execPath,
    [CLI, 'reconcile', '--provider', 'sandbox', ...period, '--file', file, '--json'],
    { env: { ...process.env, DATABASE_URL: database.url }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  let highestMb = 0;
  const looking = setInterval(() => {
    highestMb = memoryMbOf(child.pid!) || highestMb;
  }, 100);
  await once(child, 'close');
  clearInterval(looking);
  expect(JSON.parse(text)).toMatchObject({
    ...{ status: 'finished', lines: LINES, matched: LINES },
    ...{ oursOnly: [], theirsOnly: [], different: [], gaps: [] },
  });
  expect(highestMb).toBeGreaterThan(30);
  expect(highestMb).toBeLessThan(MEMORY_MAX_MB);
});
