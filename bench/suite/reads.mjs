import { createReadStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, execute } from '@replenish/testing';
import { ALL_CLIENTS, asksOf, SCOPES } from './asks.mjs';
import { here } from './checkout.mjs';
import { newKey, startProduct } from './fleet.mjs';
import { hold, rows } from './ground.mjs';
import { median } from './statistics.mjs';

const RECHARGES = 1_000_000;
const REQUESTS = 200;
const GOAL_MS = 50;
// Requests per route with auto_explain. Each connection switches to a generic plan after five runs of a statement, and
// the requests are spread over several connections.
const EXPLAINED = 14;
const BUFFERS_GOAL = 2_000;
// In this time the reconciliation worker runs every task that it runs once per minute.
const TIMERS_MS = 70_000;

/**
 * Measures the routes of the API, and what the pages of the console read, on a database with a million recharges: the
 * time of each, and the number of buffers that its largest statement reads. One is asked after the other.
 */
export async function measureReads({ ground, say, announce }) {
  await announce(`\nroutes, ${RECHARGES} recharges`);
  const queue = ground.redis ? 'redis' : 'postgres';
  await ground.emptyRedis(here);
  const database = await here.createDatabase();
  const names = ['sandbox', 'ingress', 'reconciliation-worker'];
  const product = await startProduct({ ground, database, queue, names, label: 'reads', scopes: SCOPES });
  try {
    await fill(database.url, product.key);
    say('filled');
    return await measure({ ground, database, product, say });
  } finally {
    await product.stop();
    await database.release();
  }
}

async function measure({ ground, database, product, say }) {
  const domain = here.openDomain({
    ...{ databaseUrl: database.url, poolMax: 2, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 },
  });
  const finance = await newKey(here, product.env, { name: 'finance', scopes: ALL_CLIENTS });
  const asked = { url: product.url, key: product.key, finance, domain };
  try {
    const asks = await asksOf(database.url, RECHARGES, product.key.clientId);
    const health = asks.find(({ what }) => what === 'health');
    for (let n = 0; n < REQUESTS; n++) await timed(asked, health);
    const tookMs = new Map(asks.map(({ what }) => [what, []]));
    // The asks take turns, so that a slow moment of the machine affects all of them.
    for (let n = 0; n < REQUESTS; n++)
      for (const ask of asks)
        if (n < (ask.requests ?? REQUESTS)) tookMs.get(ask.what).push(await timed(asked, ask));
    const worst = await explained({ ground, database, asked, asks });
    const healthMs = median(tookMs.get('health'));
    const table = asks.map((ask) => line(ask, tookMs.get(ask.what), healthMs, worst.get(ask.what)));
    say('');
    return worst.has(TIMERS) ? [...table, `${TIMERS.padEnd(36)} ${buffersIn(worst.get(TIMERS))}`] : table;
  } finally {
    await domain.close();
  }
}

async function fill(url, { clientId, keyId }) {
  const script = readFileSync(join(import.meta.dirname, 'books.sql'), 'utf8');
  const filled = script.replaceAll(':count', RECHARGES).replaceAll(':client', clientId);
  await rows(url, filled.replaceAll(':key', keyId));
  await rows(url, 'vacuum');
  await rows(url, 'checkpoint');
}

let posted = 0;

async function timed({ url, key, finance, domain }, { what, path, read, expected, body, ofAllClients }) {
  const headers = { authorization: bearer(ofAllClients ? finance : key), 'content-type': 'application/json' };
  const startedAt = performance.now();
  if (read) {
    await read(domain);
    return performance.now() - startedAt;
  }
  const response = await fetch(`${url}${path}`, {
    headers,
    ...(body && { method: 'POST', body: body(posted++) }),
  });
  const answer = await response.text();
  const tookMs = performance.now() - startedAt;
  hold(response.status === expected, `${what}: ${response.status} ${answer.slice(0, 300)}`);
  return tookMs;
}

const TIMERS = 'on timers, and in gauges';

/** The largest statement of each route, from the log of Postgres. Empty when the log is not accessible. */
async function explained({ ground, database, asked, asks }) {
  const worst = new Map();
  if (!ground.postgresLog) return worst;
  await explainAll(database.url);
  const { domain } = asked;
  const gauges = () => Promise.all([domain.reads.pendingBeyond(10_000), domain.reads.openCases()]);
  const within = async (what, work) => {
    const from = statSync(ground.postgresLog).size;
    await work();
    await sleep(200); // Postgres writes its log after the answers
    worst.set(what, worstOf(await textFrom(ground.postgresLog, from)));
  };
  for (const ask of asks.filter(({ isWhole }) => !isWhole))
    await within(ask.what, async () => {
      for (let n = 0; n < EXPLAINED; n++) await timed(asked, ask);
    });
  await within(TIMERS, async () => {
    for (let n = 0; n < EXPLAINED; n++) await gauges();
    await sleep(TIMERS_MS);
  });
  return worst;
}

const textFrom = (path, start) => text(createReadStream(path, { start }));

/** Turns auto_explain on for new sessions, and ends the present ones. */
async function explainAll(url) {
  const name = new URL(url).pathname.slice(1);
  const settings = {
    session_preload_libraries: "'auto_explain'",
    'auto_explain.log_min_duration': '0',
    'auto_explain.log_analyze': 'on',
    'auto_explain.log_timing': 'off',
    'auto_explain.log_buffers': 'on',
    'auto_explain.log_format': 'json',
  };
  for (const [setting, value] of Object.entries(settings))
    await execute(url, `alter database "${name}" set ${setting} = ${value}`);
  await execute(
    url,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`,
  );
  await sleep(1_000);
}

function worstOf(log) {
  // A line that begins with a tab continues the message before it.
  const plans = log.split(/^(?!\t)/m).filter((message) => message.includes('plan:\n'));
  let worst = { buffers: 0, text: '' };
  for (const message of plans) {
    const { 'Query Text': text, Plan: plan } = JSON.parse(message.slice(message.indexOf('plan:\n') + 6));
    const buffers = plan['Shared Hit Blocks'] + plan['Shared Read Blocks'];
    if (buffers > worst.buffers) worst = { buffers, text: text.trim().replaceAll(/\s+/g, ' ') };
  }
  return worst;
}

function line({ what, isWhole }, tookMs, healthMs, worst) {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  const times = `p50 ${at(0.5).toFixed(1).padStart(6)} ms (${(at(0.5) / healthMs).toFixed(1).padStart(4)} x health)  p99 ${at(0.99).toFixed(1).padStart(6)} ms`;
  if (isWhole) return `${what.padEnd(36)} ${times}  as large as what is asked for`;
  const verdict = `goal ${GOAL_MS}  ${at(0.99) <= GOAL_MS ? 'ok    ' : 'missed'}`;
  return `${what.padEnd(36)} ${times}  ${verdict}  ${worst ? buffersIn(worst) : ''}`.trimEnd();
}

const buffersIn = ({ buffers, text }) =>
  `buffers ${buffers}  ${buffers <= BUFFERS_GOAL ? 'ok' : `missed: ${text.slice(0, 160)}`}`;
