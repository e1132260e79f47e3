import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { newRecharge } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { here, verifyBooks } from './checkout.mjs';
import { hold, rows } from './ground.mjs';
import { memoryMbOf } from './processes.mjs';
import { inTurn, line, median, ratios } from './statistics.mjs';

const LANES = 16;
const SHARED_GOAL = 0.9;
const SEALED_GOAL = 0.97;
// A pause of the sealer. The reconciliation worker pauses for longer.
const SEAL_PAUSE_MS = 1_000;
const MEMORY_GOAL_MB = 300;

/**
 * The contenders, in two pairs. `shared` posts to the one clearing account of a provider, `apart` makes the same postings
 * to an account per lane. `sealed` is `shared` with a sealer of the chain at work.
 */
const contenders = {
  shared: { providerOf: () => 'sandbox', isSealed: false },
  apart: { providerOf: (lane) => `sandbox-${lane}`, isSealed: false },
  sealed: { providerOf: () => 'sandbox', isSealed: true },
};

/** Measures settlements on one account beside the same on many, and beside a sealer of the chain. */
export async function measureBooks({ ground, rounds, measureMs, say, announce }) {
  say(`\nsettlements of ${LANES} sessions, one statement each`);
  const rates = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const name of inTurn(Object.keys(contenders), round)) {
      await announce(`  round ${round} ${name.padEnd(6)}`);
      const rate = await settleTurn({ ground, measureMs, ...contenders[name] });
      rates[name].push(rate);
      say(`${Math.round(rate)} settlements/s`);
    }
  return [
    line('one account / an account a lane', ratios(rates.shared, rates.apart), SHARED_GOAL),
    line('with a sealer / without', ratios(rates.sealed, rates.shared), SEALED_GOAL),
    `  remark: settlements/s: shared ${Math.round(median(rates.shared))}, apart ${Math.round(median(rates.apart))}, sealed ${Math.round(median(rates.sealed))}`,
  ];
}

const openDomain = (url, poolMax = 1) =>
  here.openDomain({ databaseUrl: url, poolMax, reconcileAfterMs: 600_000, providerTimeoutMs: 1_000 });

/** The settlements per second. Each lane has a session of its own, so that no two share a statement. */
async function settleTurn({ ground, measureMs, providerOf, isSealed }) {
  const database = await here.createDatabase();
  const maker = openDomain(database.url, 8);
  const lanes = Array.from({ length: LANES }, () => openDomain(database.url));
  const sealer = isSealed ? openDomain(database.url, 2) : null;
  try {
    const { clientId } = newRecharge({ id: uuidv7() });
    await rows(database.url, `insert into client (id, name, env) values ('${clientId}', 'bench', 'test')`);
    // Enough for 250 settlements a second in each lane. A lane that settles more ends the run with an error.
    const sent = await Promise.all(
      lanes.map((_, lane) => sentRecharges(maker, providerOf(lane), Math.ceil(measureMs / 4))),
    );
    await maker.chain.seal();
    await rows(database.url, 'analyze');
    await ground.checkpoint();
    let isOver = false;
    const sealing = sealer && sealAgain(sealer, () => isOver);
    const begunMs = performance.now();
    const settled = await Promise.all(
      lanes.map((domain, at) => settleAll(domain, sent[at], begunMs + measureMs)),
    );
    const seconds = (performance.now() - begunMs) / 1_000;
    isOver = true;
    const links = await sealing;
    hold(links !== 0, 'the sealer sealed nothing');
    await verifyBooks(database.url);
    return settled.reduce((sum, count) => sum + count, 0) / seconds;
  } finally {
    await Promise.all([maker, ...lanes, ...(sealer ? [sealer] : [])].map((domain) => domain.close()));
    await database.release();
  }
}

/** Recharges at a provider, each of an account of its own. */
async function sentRecharges(domain, provider, count) {
  const asks = Array.from({ length: count }, () => {
    const id = uuidv7();
    return newRecharge({ id, provider, accountId: `acct-${id}` });
  });
  for (let at = 0; at < count; at += 200)
    await Promise.all(
      asks.slice(at, at + 200).map(async (ask) => {
        const created = await domain.createRecharge(ask);
        hold(created.ok, `a recharge was refused: ${created.problem}`);
        await domain.applyNews(reportOf(ask.id, 'submit'));
      }),
    );
  return asks.map(({ id }) => id);
}

const reportOf = (transactionId, news) => ({
  transactionId,
  news,
  source: 'submission',
  reason: 'benchmark',
});

async function settleAll(domain, ids, untilMs) {
  let count = 0;
  while (performance.now() < untilMs) {
    hold(count < ids.length, 'a lane ran out of recharges');
    const { verdict } = await domain.applyNews(reportOf(ids[count++], 'settled'));
    hold(verdict === 'moved', `a settlement was ${verdict}`);
  }
  return count;
}

async function sealAgain(domain, isOver) {
  let links = 0;
  while (!isOver()) {
    links += await domain.chain.seal();
    await delay(SEAL_PAUSE_MS);
  }
  return links;
}

/** The highest memory of the command that compares a statement of `count` lines with as many recharges. */
export async function measureStatement({ ground, count, say }) {
  say(`\na statement of ${count} lines`);
  const database = await here.createDatabase();
  try {
    await fill(database.url, count);
    const file = join(ground.dir, 'statement.csv');
    const lines = await writeStatement(database.url, file);
    const begunMs = performance.now();
    const { memoryMb, answer } = await reconcile(database.url, file);
    const seconds = (performance.now() - begunMs) / 1_000;
    hold(answer.matched === lines, `${answer.matched ?? answer.error} of ${lines} lines match`);
    say(`  ${lines} lines in ${seconds.toFixed(0)} s, ${Math.round(lines / seconds)} lines/s`);
    return [
      `memory of reconcile, ${lines} lines: highest ${memoryMb} MB  goal < ${MEMORY_GOAL_MB}  ${memoryMb < MEMORY_GOAL_MB ? 'ok' : 'missed'}`,
    ];
  } finally {
    await database.release();
  }
}

async function fill(url, count) {
  const script = readFileSync(join(import.meta.dirname, 'books.sql'), 'utf8');
  const { clientId } = newRecharge({ id: uuidv7() });
  await rows(url, `insert into client (id, name, env) values ('${clientId}', 'bench', 'test')`);
  await rows(
    url,
    script.replaceAll(':count', count).replaceAll(':client', clientId).replaceAll(':key', 'rk_test_bench'),
  );
  // A comparison reads the time of each success, and no line may be there before it. The triggers are off in this role.
  await rows(
    url,
    `set session_replication_role = replica;
     truncate reconciliation_run, statement_line cascade;
     update recharge_transaction set succeeded_at = created_at where state = 'SUCCEEDED'`,
  );
  await rows(url, 'vacuum analyze');
}

/** Writes a line for each recharge that succeeded. Returns their number. */
async function writeStatement(url, file) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const out = createWriteStream(file);
  out.write('line,at,orderId,reference,direction,amount,currency,balance\n');
  let count = 0;
  try {
    await client.query('begin');
    await client.query(
      `declare lines no scroll cursor for
       select id, provider_order_id as "orderId", created_at as at from recharge_transaction
       where state = 'SUCCEEDED' order by created_at`,
    );
    for (;;) {
      const { rows: page } = await client.query('fetch 5000 from lines');
      if (page.length === 0) break;
      const text = page.map(
        ({ id, orderId, at }) =>
          `${++count},${at.toISOString()},${orderId},${id},in,100,USD,${count * 100}\n`,
      );
      if (!out.write(text.join(''))) await once(out, 'drain');
    }
  } finally {
    await client.end();
    out.end();
  }
  await once(out, 'finish');
  return count;
}

async function reconcile(databaseUrl, file) {
  const day = 86_400_000;
  const [from, to] = [new Date(Date.now() - 400 * day), new Date(Date.now() + day)].map((at) =>
    at.toISOString(),
  );
  const child = spawn(
    process.execPath,
    [
      join(here.dir, 'apps/cli/bin/replenish.mjs'),
      ...['reconcile', '--provider', 'sandbox', '--from', from, '--to', to, '--file', file, '--json'],
    ],
    { env: { ...process.env, DATABASE_URL: databaseUrl }, stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  let memoryMb = 0;
  const looking = setInterval(() => {
    try {
      memoryMb = Math.max(memoryMb, memoryMbOf(child.pid).highest);
    } catch {
      // The process has just ended.
    }
  }, 100);
  await once(child, 'close');
  clearInterval(looking);
  return { memoryMb, answer: JSON.parse(text) };
}
