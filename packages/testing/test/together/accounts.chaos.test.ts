import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openBreakerReports, openPoolReader, openProviderMetrics, openRunner } from '@replenish/assembly';
import { type GuardedProvider, openProviders, type Providers } from '@replenish/providers';
import { openRegistry, readConfig } from '@replenish/runtime';
import { openWorkerBooks, until, type WorkerBooks } from '@replenish/testing';
import { asker } from '../../../../apps/reconciliation-worker/src/asker.js';
import { Cloud } from '../../../../apps/sandbox/test/alibaba-cloud/support/cloud.js';
import { byAccount } from '../../../../apps/submission-worker/src/by-account.js';
import { openClaimCounter, submitter } from '../../../../apps/submission-worker/src/submitter.js';

// Each account is at a simulator of its own, so that one of them can be down.
const clouds = { cn: new Cloud(), intl: new Cloud() };
type Account = keyof typeof clouds;
const dir = mkdtempSync(join(tmpdir(), 'accounts-'));

let books: WorkerBooks;
let providers: Providers;
let submit: (id: string) => Promise<undefined>;
let ask: (id: string) => Promise<undefined>;
const registry = openRegistry('submission-worker');

const linesOf = (name: Account): string => `
  ${name}:
    access_key_id: \${KEY_ID}
    access_key_secret: file:secret
    endpoint: ${clouds[name].alibaba.url}
    fund_account_id: fa-${name}`;

beforeAll(async () => {
  books = await openWorkerBooks();
  for (const [name, cloud] of Object.entries(clouds)) {
    await cloud.start();
    await cloud.fund(`fa-${name}`, name === 'cn' ? 1_000_000 : 2_000_000);
    await cloud.fund(`to-${name}`, 0);
  }
  writeFileSync(join(dir, 'secret'), `${clouds.cn.alibaba.accessKeySecret}\n`);
  const PROVIDERS_FILE = join(dir, 'providers.yaml');
  writeFileSync(PROVIDERS_FILE, `alibaba_cloud:${linesOf('cn')}${linesOf('intl')}\n`);
  const env = { NODE_ENV: 'test', REPLENISH_DIR: '/nowhere', PROVIDER_TIMEOUT_MS: '5000' };
  const config = readConfig({ ...env, PROVIDERS_FILE, KEY_ID: clouds.cn.alibaba.accessKeyId });
  const { domain, log } = books;
  const metrics = openProviderMetrics({ registry, log });
  const onBreaker = openBreakerReports({ breakers: domain.breakers, metrics, log });
  providers = openProviders(config, { ...metrics, onBreaker });
  const claims = openClaimCounter(registry);
  const submits = new Map(
    accounts().map((provider) => [
      provider.account,
      submitter({ domain, provider, publicUrl: '', log, claims, metrics }),
    ]),
  );
  submit = byAccount(submits, async (id) => (await domain.reads.outstanding(id))?.providerAccount ?? null);
  ask = asker({ domain, accounts: accounts(), queues: { hint: async () => true }, log, metrics });
  for (const provider of accounts()) await openPoolReader({ pools: domain.pools, provider, log })!();
});
afterAll(async () => {
  expect(await books.domain.verify()).toEqual([]);
  await providers.close();
  await Promise.all([books.close(), clouds.cn.close(), clouds.intl.close()]);
  rmSync(dir, { recursive: true, force: true });
});

const accounts = (): GuardedProvider[] => providers.all().filter(({ name }) => name === 'alibaba_cloud');

/** A delivery that the house pays from one of the accounts. */
async function delivery(account: Account, to = `to-${account}`): Promise<string> {
  const id = await books.recharged({ provider: 'alibaba_cloud', currency: 'CNY', amountMinor: 1_000n });
  const payee = JSON.stringify({ provider: 'alibaba_cloud', providerAccount: account, from: null, to });
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    update recharge_transaction
    set kind = 'deliver', funding = 'house', provider_account = '${account}',
      lane = 'alibaba_cloud:${account}:${to}', payee = '${payee}' where id = '${id}';
    commit`);
  return id;
}

/** Asks about a transfer, as if its submit was long ago. */
async function settle(id: string): Promise<void> {
  await books.rows(
    `update provider_call set started_at = started_at - interval '1 minute',
      ended_at = ended_at - interval '1 minute' where transaction_id = $1`,
    [id],
  );
  const isSettled = async () => {
    await ask(id);
    return (await books.recharge(id)).state === 'SUCCEEDED';
  };
  await until(isSettled, { limitMs: 30_000 }, `${id} succeeds`);
}

test('the pool of each account is its own', async () => {
  const pools = await books.rows(
    'select provider_account, transferable_minor::int as minor from pool order by provider_account',
  );
  expect(pools).toEqual([
    { provider_account: 'cn', minor: 1_000_000 },
    { provider_account: 'intl', minor: 2_000_000 },
  ]);
});

test.each(['cn', 'intl'] as const)('a delivery of %s is paid by its fund account', async (account) => {
  const id = await delivery(account);
  await submit(id);
  await settle(id);
  expect(await clouds[account].transfersTo(`to-${account}`)).toMatchObject([{ from: `fa-${account}` }]);
  const other = account === 'cn' ? 'intl' : 'cn';
  expect(await clouds[other].transfersTo(`to-${account}`)).toEqual([]);
});

test('the statement of an account has its deliveries only', async () => {
  const { reconciliations } = books.domain;
  const [from, to] = [-1, 1].map((hours) => new Date(Date.now() + hours * 3_600_000)) as [Date, Date];
  const runs = [];
  for (const providerAccount of ['cn', 'intl']) {
    const period = { provider: 'alibaba_cloud', providerAccount, from, to };
    const asked = await reconciliations.ask({
      ...{ period, source: 'provider', askedBy: 'as tested', file: null, key: null },
    });
    if (asked.ok) runs.push(asked.run.id);
  }
  await openRunner({ reconciliations, accounts: accounts(), log: books.log })();
  for (const id of runs)
    expect(await reconciliations.of(id)).toMatchObject({ status: 'finished', matched: 1, oursOnly: [] });
});

test('the open breaker of one account does not stop the other', async () => {
  await clouds.intl.post('/_control/outage', { mode: 'down' });
  const intl = accounts().find(({ account }) => account === 'intl')!;
  for (let n = 0; n < 30 && !intl.isOpen('submit'); n++) await submit(await delivery('intl', `to-down-${n}`));
  expect(intl.isOpen('submit')).not.toBeNull();
  const waiting = await delivery('intl', 'to-later');
  await submit(waiting);
  expect(await books.recharge(waiting)).toMatchObject({ state: 'CREATED', attempt: 0 });
  const other = await delivery('cn');
  await submit(other);
  await settle(other);
  const open = await books.rows('select distinct provider_account from provider_breaker');
  expect(open).toEqual([{ provider_account: 'intl' }]);
});
