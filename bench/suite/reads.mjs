import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { bearer, execute } from '@replenish/testing';
import { here } from './checkout.mjs';
import { startProduct } from './fleet.mjs';
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

const SCOPES = ['recharges:write', 'recharges:read', 'balances:read', 'audit:read'];

/**
 * Measures the routes of the API on a database with a million recharges: the time of each route, and the number of
 * buffers that its largest statement reads. The requests are sent one after the other.
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
  const asks = await asksOf(database.url);
  const health = asks.find(({ what }) => what === 'health');
  for (let n = 0; n < REQUESTS; n++) await timed(product, health);
  const tookMs = new Map(asks.map(({ what }) => [what, []]));
  // The routes take turns, so that a slow moment of the machine affects all of them.
  for (let n = 0; n < REQUESTS; n++)
    for (const ask of asks) tookMs.get(ask.what).push(await timed(product, ask));
  const worst = await explained({ ground, database, product, asks });
  const healthMs = median(tookMs.get('health'));
  const table = asks.map(({ what }) => line(what, tookMs.get(what), healthMs, worst.get(what)));
  say('');
  if (!worst.has(TIMERS)) return table;
  return [...table, `${TIMERS.padEnd(36)} ${buffersIn(worst.get(TIMERS))}`];
}

async function fill(url, { clientId, keyId }) {
  const script = readFileSync(join(import.meta.dirname, 'books.sql'), 'utf8');
  const filled = script.replaceAll(':count', RECHARGES).replaceAll(':client', clientId);
  await rows(url, filled.replaceAll(':key', keyId));
  await rows(url, 'vacuum');
  await rows(url, 'checkpoint');
}

/** The requests to measure. Their filters name common values, rare values and values that no row has. */
async function asksOf(url) {
  const [{ id, at }] = await rows(
    url,
    `select id, created_at as at from recharge_transaction order by created_at limit 1 offset ${RECHARGES * 0.3}`,
  );
  const list = (query) => `/v1/recharges?limit=100&${query}`;
  const ledger = (query) => `/v1/accounts/acct-busy/ledger?limit=100&${query}`;
  const audit = (query) => `/v1/audit?limit=100&${query}`;
  const window = (from, to) =>
    `${from}=${new Date(at.getTime() - 3_600_000).toISOString()}&${to}=${at.toISOString()}`;
  const deep = `cursor=${Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')}`;
  const reads = {
    health: '/healthz',
    readiness: '/readyz',
    'a recharge': `/v1/recharges/${id}`,
    'its timeline': `/v1/recharges/${id}/timeline`,
    'list, newest': list(''),
    'list, deep': list(deep),
    'list, old hour': list(window('createdFrom', 'createdTo')),
    'list, common state': list('status=succeeded'),
    'list, rare state': list('status=failed'),
    'list, absent state': list('status=canceled'),
    'list, account': list('accountId=acct-77'),
    'list, account in an absent state': list('accountId=acct-77&status=canceled'),
    'list, order reference': list('orderReference=ref-5000'),
    'balance and history': '/v1/account/balance?accountId=acct-busy',
    'balance of a quiet account': '/v1/account/balance?accountId=acct-77',
    'ledger, newest': ledger(''),
    'ledger, old hour': ledger(window('from', 'to')),
    'ledger, deep': ledger('currency=USD&cursor=100000'),
    'audit, newest': audit(''),
    'audit, common status': audit('status=202'),
    'audit, rare status': audit('status=403'),
    'audit, absent refusal': audit('status=418'),
    'audit, absent success': audit('status=204'),
    'audit, account': audit('account=acct-77'),
    'audit, absent account': audit('account=nobody'),
  };
  const asks = Object.entries(reads).map(([what, path]) => ({ what, path, expected: 200 }));
  return [...asks, { what: 'create', path: '/v1/recharges', expected: 202, body: newBody }];
}

const newBody = (n) =>
  JSON.stringify({
    ...{ idempotencyKey: `reads-${n}`, accountId: `acct-${n % 10_000}` },
    ...{ amount: 500, currency: 'USD', paymentMethod: 'sandbox' },
  });

let posted = 0;

async function timed({ url, key }, { what, path, expected, body }) {
  const headers = { authorization: bearer(key), 'content-type': 'application/json' };
  const startedAt = performance.now();
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
async function explained({ ground, database, product, asks }) {
  const worst = new Map();
  if (!ground.postgresLog) return worst;
  await explainAll(database.url);
  const domain = here.openDomain({
    ...{ databaseUrl: database.url, poolMax: 2, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 },
  });
  const gauges = () => Promise.all([domain.reads.pendingBeyond(10_000), domain.reads.openCases()]);
  const within = async (what, work) => {
    const from = readFileSync(ground.postgresLog).length;
    await work();
    await sleep(200); // Postgres writes its log after the answers
    worst.set(what, worstOf(readFileSync(ground.postgresLog).subarray(from).toString()));
  };
  for (const ask of asks)
    await within(ask.what, async () => {
      for (let n = 0; n < EXPLAINED; n++) await timed(product, ask);
    });
  await within(TIMERS, async () => {
    for (let n = 0; n < EXPLAINED; n++) await gauges();
    await sleep(TIMERS_MS);
  });
  await domain.close();
  return worst;
}

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

function line(what, tookMs, healthMs, worst) {
  const sorted = [...tookMs].sort((a, b) => a - b);
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  const times = `p50 ${at(0.5).toFixed(1).padStart(6)} ms (${(at(0.5) / healthMs).toFixed(1).padStart(4)} x health)  p99 ${at(0.99).toFixed(1).padStart(6)} ms`;
  const verdict = `goal ${GOAL_MS}  ${at(0.99) <= GOAL_MS ? 'ok    ' : 'missed'}`;
  return `${what.padEnd(36)} ${times}  ${verdict}  ${worst ? buffersIn(worst) : ''}`.trimEnd();
}

const buffersIn = ({ buffers, text }) =>
  `buffers ${buffers}  ${buffers <= BUFFERS_GOAL ? 'ok' : `missed: ${text.slice(0, 160)}`}`;
