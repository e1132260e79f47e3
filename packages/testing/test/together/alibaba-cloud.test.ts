import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openPoolReader, openProviderMetrics } from '@replenish/assembly';
import { openProviders, type Providers } from '@replenish/providers';
import { openRegistry } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { asker } from '../../../../apps/reconciliation-worker/src/asker.js';
import { Cloud, openProxy } from '../../../../apps/sandbox/test/alibaba-cloud/support/cloud.js';
import { openClaimCounter, submitter } from '../../../../apps/submission-worker/src/submitter.js';

const cloud = new Cloud();
const registry = openRegistry('reconciliation-worker');
let books: WorkerBooks;
let providers: Providers;
let proxy: Awaited<ReturnType<typeof openProxy>>;
let submit: (id: string) => Promise<undefined>;
let ask: (id: string) => Promise<undefined>;
let readPool: () => Promise<void>;
let to: string;
let nth = 0;
const metrics = () =>
  openProviderMetrics({ registry: openRegistry('reconciliation-worker'), log: books.log });
const claims = openClaimCounter(registry);

beforeAll(async () => {
  await cloud.start();
  books = await openWorkerBooks();
  proxy = await openProxy(cloud.alibaba.url, () => {});
});
beforeEach(async () => {
  to = `fa-to-${nth++}`;
  await cloud.fund('fa-main', 100_000_000);
  await cloud.fund(to, 0);
  await ahead(0);
  await openWorkers('person');
});
afterEach(async () => {
  await providers.close();
  expect(await books.domain.verify()).toEqual([]);
});
afterAll(async () => {
  await Promise.all([books.close(), proxy.close(), cloud.close()]);
});

const ahead = (minutes: number) =>
  cloud.post('/_control/alibaba/clock', { aheadMs: Math.round(minutes * 60_000) + 1_000 });

/** Opens the workers' functions on the provider as the fleet opens it, behind a proxy that counts requests. */
async function openWorkers(resubmit: 'person' | 'auto'): Promise<void> {
  providers = openProviders({
    ...{ NODE_ENV: 'test', SANDBOX_URL: 'http://127.0.0.1:9', PROVIDER_TIMEOUT_MS: 1_000 },
    ALIBABA_CLOUD_ACCESS_KEY_ID: cloud.alibaba.accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: cloud.alibaba.accessKeySecret,
    ALIBABA_CLOUD_ENDPOINT: proxy.url,
    ALIBABA_CLOUD_FUND_ACCOUNT_ID: 'fa-main',
    ALIBABA_CLOUD_RESUBMIT: resubmit,
  });
  const provider = providers.get('alibaba_cloud', 'main')!;
  const { domain, log } = books;
  submit = submitter(submitting());
  ask = asker({ domain, accounts: [provider], queues: { hint: async () => true }, log, metrics: metrics() });
  readPool = openPoolReader({ pools: domain.pools, provider, log })!;
  await readPool();
}

const submitting = () => ({
  ...{ domain: books.domain, provider: providers.get('alibaba_cloud', 'main')!, publicUrl: '' },
  ...{ log: books.log, claims, metrics: metrics() },
});

/** A domain that takes the claim, and not the answer. */
const dyingAfterClaim = (): Pick<WorkerBooks['domain'], 'applyNews'> => ({
  applyNews: (report) =>
    report.news === 'submit' ? books.domain.applyNews(report) : Promise.reject(new Error('died')),
});

/**
 * A delivery of 1,234.56 CNY that the house pays. A trigger guards the terms of a stored recharge, and this role runs
 * no triggers.
 */
async function newDelivery(): Promise<string> {
  const id = await books.recharged({ provider: 'alibaba_cloud', currency: 'CNY', amountMinor: 123_456n });
  const payee = JSON.stringify({ provider: 'alibaba_cloud', providerAccount: 'main', from: null, to });
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    update recharge_transaction
    set kind = 'deliver', funding = 'house', lane = 'alibaba_cloud:main:${to}', payee = '${payee}' where id = '${id}';
    commit`);
  return id;
}

/** Lets time pass for one recharge: its calls move into the past. */
const pass = (id: string, minutes: number) =>
  books.rows(
    `update provider_call set started_at = started_at - $2 * interval '1 minute',
      ended_at = ended_at - $2 * interval '1 minute' where transaction_id = $1`,
    [id, minutes],
  );
const askAfter = async (id: string, minutes: number) => {
  await pass(id, minutes);
  await ask(id);
};
const noteOf = async (id: string) =>
  (
    await books.rows<{ waiting: Record<string, unknown> | null }>(
      'select waiting from recharge_transaction where id = $1',
      [id],
    )
  )[0]!.waiting;
const transfers = () => cloud.transfersTo(to);

test.each(['timeout_after_transfer', 'reset_after_transfer', 'server_error_after_transfer', 'html_answer'])(
  '%s: one request, one transfer, and a search ends the recharge',
  async (scenario) => {
    const id = await newDelivery();
    await cloud.behave(scenario, { to });
    const before = proxy.count();
    await submit(id);
    expect(proxy.count()).toBe(before + 1);
    expect(await books.recharge(id)).toMatchObject({ confirmation: 'unknown', nextStep: 'ask', attempt: 1 });
    await submit(id);
    expect(proxy.count()).toBe(before + 1);
    await ahead(0);
    await askAfter(id, 1);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
    expect(await transfers()).toHaveLength(1);
    const [{ evidence }] = (await books.rows(
      `select evidence from provider_call where transaction_id = $1 and operation = 'query'`,
      [id],
    )) as [{ evidence: object }];
    expect(evidence).toMatchObject({ isComplete: true, sides: 'source' });
  },
);

describe('timeout_before_transfer', () => {
  const lost = async () => {
    const id = await newDelivery();
    await cloud.behave('timeout_before_transfer', { to });
    await submit(id);
    return id;
  };

  test('absence is proven before a person gets the case, and nothing is sent', async () => {
    const id = await lost();
    await askAfter(id, 1);
    expect(await noteOf(id)).toMatchObject({ reason: 'PROOF', done: 1, needed: 3 });
    await askAfter(id, 11);
    expect(await noteOf(id)).toMatchObject({ done: 2 });
    expect(await books.cases(id)).toEqual([]);
    await askAfter(id, 20);
    expect(await books.cases(id)).toEqual(['absent_order']);
    expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'ask' });
    const [{ detail }] = (await books.rows('select detail from reconciliation_case where subject = $1', [
      id,
    ])) as [{ detail: { evidence: { scans: object[] } } }];
    expect(detail.evidence.scans).toHaveLength(3);
    expect(await transfers()).toHaveLength(0);
  });

  test('where the provider account allows it, a proven absence is sent again, once', async () => {
    const id = await lost();
    await providers.close();
    await openWorkers('auto');
    for (const minutes of [1, 11]) {
      await askAfter(id, minutes);
      await submit(id);
    }
    expect(await transfers()).toHaveLength(0);
    await askAfter(id, 20);
    expect(await books.recharge(id)).toMatchObject({ nextStep: 'submit' });
    await submit(id);
    await ahead(0);
    await askAfter(id, 1);
    expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 2 });
    expect(await transfers()).toHaveLength(1);
  });
});

test('a transfer whose answer was lost is not made again while the list hides it for 20 minutes', async () => {
  await providers.close();
  await openWorkers('auto');
  const id = await newDelivery();
  await cloud.behave('visible_late', { to, delayMs: 1_200_000 });
  // The process dies before the answer is stored, so the claim stays without one.
  await expect(
    submitter({ ...submitting(), domain: { ...dyingAfterClaim(), reads: books.domain.reads } })(id),
  ).rejects.toThrow('died');
  await ahead(0);
  for (const minutes of [1, 11]) {
    await askAfter(id, minutes);
    await submit(id);
  }
  expect(await noteOf(id)).toMatchObject({ reason: 'PROOF', done: 2, needed: 3 });
  expect(await transfers()).toHaveLength(1);
  await ahead(21);
  await askAfter(id, 10);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  expect(await transfers()).toHaveLength(1);
});

test('visible_late: an accepted transfer is asked about until the list shows it', async () => {
  const id = await newDelivery();
  await cloud.behave('visible_late', { to, delayMs: 1_200_000 });
  await submit(id);
  await ahead(1);
  await askAfter(id, 1);
  expect(await books.recharge(id)).toMatchObject({ confirmation: 'acknowledged', nextStep: 'ask' });
  expect(await noteOf(id)).toBeNull();
  await ahead(21);
  await askAfter(id, 20);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED', attempt: 1 });
  expect(await transfers()).toHaveLength(1);
  expect(await books.cases(id)).toEqual([]);
});

test.each([
  ['throttled', null],
  ['not_enough', { reason: 'SOURCE_FUNDS' }],
])('%s: nothing was executed, so the same order is sent again without a proof', async (scenario, note) => {
  const id = await newDelivery();
  await cloud.behave(scenario, { to, times: 3 });
  await submit(id);
  expect(await books.recharge(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', nextStep: 'submit' });
  if (note) expect(await noteOf(id)).toMatchObject(note);
  else expect(await noteOf(id)).toBeNull();
  await cloud.behave('throttled', { to: 'nobody' });
  for (let tries = 0; tries < 3 && (await transfers()).length === 0; tries++) await submit(id);
  await ahead(0);
  await askAfter(id, 1);
  expect(await books.recharge(id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await transfers()).toHaveLength(1);
});

test('a refusal for good fails the recharge, and nothing moves', async () => {
  to = 'fa-nowhere';
  const id = await newDelivery();
  await submit(id);
  expect(await books.recharge(id)).toMatchObject({ state: 'FAILED', nextStep: null });
  expect(await transfers()).toHaveLength(0);
});

test('an order waits for money on the source account, and goes on after a reading with more', async () => {
  await cloud.fund('fa-main', 1_000);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await readPool();
  const id = await newDelivery();
  await submit(id);
  expect(await books.recharge(id)).toMatchObject({ state: 'CREATED', attempt: 0 });
  expect(await noteOf(id)).toMatchObject({ reason: 'SOURCE_FUNDS' });
  await cloud.fund('fa-main', 100_000_000);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await readPool();
  await submit(id);
  expect(await transfers()).toHaveLength(1);
});
