import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { ProcessName } from '@replenish/runtime';
import pg from 'pg';
import { parse } from 'yaml';
import { OwnRedis } from '../../src/fleet/own/own-redis.js';
import { until } from '../../src/until.js';
import { root } from '../source.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';
import { metricsPortIn, OwnPrometheus, type ShownAlert } from './prometheus.js';
import { shortened, withoutSpans } from './shortened.js';

jest.setTimeout(2 * TEST_LIMIT_MS);

// Ten minutes become 40 seconds. The sealer of the chain runs every five seconds, and two minutes become eight of them.
const FACTOR = 15;
const rules = readFileSync(join(root, 'docs/alerts/rules.yml'), 'utf8');
const names = (parse(rules) as { groups: { rules: { alert: string }[] }[] }).groups
  .flatMap((group) => group.rules)
  .map(({ alert }) => alert);

// The processes whose metrics operations.md names under "What to watch".
const watched: readonly ProcessName[] = [
  'ingress',
  'submission-worker',
  'webhook-worker',
  'reconciliation-worker',
  'dashboard',
];
const limit = { limitMs: TEST_LIMIT_MS, everyMs: 250 };

let redis: OwnRedis;
let stage: WholeStage;
let prometheus: OwnPrometheus;
let owner: pg.Client;

beforeAll(async () => {
  redis = await OwnRedis.open();
  stage = await WholeStage.open({
    processes: ['sandbox', ...watched],
    redisUrl: redis.url,
    keepAlive: false,
    env: { NODE_OPTIONS: `--import=${join(import.meta.dirname, 'clock.mjs')}` },
  });
  owner = new pg.Client({ connectionString: stage.fleet.databaseUrl });
  await owner.connect();
  const ports = watched.map((name) => metricsPortIn(stage.fleet.process(name).log()));
  prometheus = await OwnPrometheus.open(shortened(rules, FACTOR), ports);
});
afterAll(async () => {
  await prometheus?.close();
  await owner?.end();
  await stage?.close();
  await redis?.close();
});

const recharge = (scenario: string, amount = 1_000): Promise<string> =>
  stage.recharge('acct-1', 'sandbox', amount, { currency: 'USD', metadata: { scenario } });
const recharges = (count: number, scenario: string): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, () => recharge(scenario)));

const nameOf = ({ labels }: ShownAlert): string => labels.alertname!;
const active = async (): Promise<string[]> => [...new Set((await prometheus.active()).map(nameOf))].sort();

/** Makes the cause of alerts that are neither pending nor firing, and waits until they are. */
async function raises(alerts: readonly string[], cause: () => Promise<unknown>): Promise<void> {
  const before = await active();
  expect(alerts.filter((alert) => before.includes(alert))).toEqual([]);
  await cause();
  for (const alert of alerts)
    await until(async () => (await active()).includes(alert), limit, `${alert} pending or firing`);
}

const fires = (alert: string): Promise<ShownAlert> =>
  until(() => prometheus.fired.get(alert), limit, `${alert} firing`);

/** Fills Redis beyond its memory, and then lets it have enough memory again. */
async function evict(): Promise<void> {
  const used = Number(/used_memory:(\d+)/.exec(await redis.command('INFO memory'))![1]);
  await redis.command('CONFIG SET maxmemory-policy allkeys-lru');
  await redis.command(`CONFIG SET maxmemory ${used + 500_000}`);
  await redis.command(
    `EVAL "for n = 1, 200 do redis.call('set', 'filler:' .. n, string.rep('x', 10000), 'EX', 60) end" 0`,
  );
  const hasEvicted = async () => /evicted_keys:[1-9]/.test(await redis.command('INFO stats'));
  await until(hasEvicted, limit, 'keys thrown away');
  const isScraped = async () => (await prometheus.value('replenish_queue_store_evicted_keys')) !== 0;
  await until(isScraped, limit, 'the keys thrown away in the metric');
  await redis.command('CONFIG SET maxmemory-policy noeviction');
  await redis.command('CONFIG SET maxmemory 0');
}

/** Repeats what causes an alert until that fires. */
async function lasting(alert: string, work: () => Promise<unknown>): Promise<void> {
  const isFiring = async () => {
    await work();
    return prometheus.fired.has(alert);
  };
  await until(isFiring, limit, `${alert} firing while its cause lasts`);
}

test('only spans of time are shorter than in the file', () => {
  const short = shortened(rules, FACTOR);
  expect(withoutSpans(short)).toBe(withoutSpans(rules));
  expect(short).toContain('for: 20000ms');
  expect(short).toContain('increase(replenish_queue_store_evicted_keys[40000ms])) > 0');
  expect(short).toContain('replenish_webhook_backlog_oldest_seconds) > 8');
  expect(short).toContain('time() - max(replenish_chain_sealed_timestamp_seconds) > 8');
  expect(short).toMatch(/abs\(replenish_clock_skew_seconds\)\) > 0\.33/);
  expect(short).toContain('> 1e8');
});

test('while recharges succeed, no alert fires, and none is pending at last', async () => {
  const scrapes = () => prometheus.value('min(count_over_time(up[5m]))');
  const isCalm = async () => {
    for (const id of await recharges(3, 'ok')) await stage.succeeds(id, 1);
    return (await scrapes())! >= 10 && (await active()).length === 0;
  };
  await until(isCalm, limit, 'ten scrapes and no alert').catch(async (error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(await prometheus.active())}`);
  });
  expect([...prometheus.fired.keys()]).toEqual([]);
  expect(await prometheus.value('min(up)')).toBe(1);
});

test('each alert begins with its cause', async () => {
  // The recharge is money at risk at once. It breaks the SLA after ten times RECONCILE_AFTER_MS.
  await raises(['ReplenishMoneyAtRisk', 'ReplenishSlaBreach'], () => recharge('never_settles', 200_000_000));
  // More than ten at once, so that the first of them count, too.
  await raises(['ReplenishFailureSpike'], () => recharges(15, 'declined'));
  await lasting('ReplenishFailureSpike', () => recharges(2, 'declined'));
  await raises(['ReplenishPoolShort'], async () => {
    await stage.control('alibaba/fund-accounts', { id: 'fa-main', currency: 'CNY', cash: 0 });
    await stage.recharge((await stage.newPayee()).accountId, 'fund_account', 1_000);
  });
  await raises(['ReplenishClockSkew'], async () => stage.fleet.process('ingress').kill('SIGUSR2'));
  await raises(['ReplenishQueueStoreEvicts'], evict);
  // One call of four has no answer, so the breaker stays closed.
  await raises(['ReplenishProviderFailing'], () =>
    lasting('ReplenishProviderFailing', () =>
      Promise.all([recharges(3, 'ok'), recharge('timeout_after_charge')]),
    ),
  );
  await raises(['ReplenishWebhookBacklog'], async () => {
    await stage.fleet.process('webhook-worker').stop();
    await recharges(3, 'ok');
  });
  await raises(['ReplenishChainNotSealed'], async () => {
    await owner.query('begin');
    await owner.query('lock table chain_link in exclusive mode');
    await recharges(3, 'ok');
  });
  await raises(['ReplenishBreakerOpen'], async () => {
    await stage.control('outage', { mode: 'down' });
    await recharges(30, 'ok');
  });
});

test('and fires with its severity and an existing page', async () => {
  const others = names.filter((name) => name !== 'ReplenishNoSweep');
  for (const name of others) await fires(name);
  await raises(['ReplenishNoSweep'], () => stage.fleet.process('reconciliation-worker').stop());
  await fires('ReplenishNoSweep');
  expect([...prometheus.fired.keys()].sort()).toEqual([...names].sort());
  for (const { labels, annotations } of prometheus.fired.values()) {
    expect(['page', 'ticket']).toContain(labels.severity);
    expect(annotations.summary).not.toMatch(/<no value>|<error|%!/);
    expect([annotations.runbook_url, existsSync(join(root, annotations.runbook_url!))]).toEqual([
      annotations.runbook_url,
      true,
    ]);
  }
});
