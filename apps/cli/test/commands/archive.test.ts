import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openDomain } from '@replenish/domain';
import { createDatabase, newRecharge, type TestDatabase } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { run } from '../../src/run.js';
import type { CommandBooks } from '../support/command-books.js';
import { openJournalBooks } from '../support/journal-books.js';

let books: CommandBooks;
const dir = mkdtempSync(join(tmpdir(), 'replenish-archive-'));
const out = join(dir, 'archive');
const opened: TestDatabase[] = [];

beforeAll(async () => {
  books = await openJournalBooks();
  const keys = openDomain({
    ...{ databaseUrl: books.databaseUrl, poolMax: 2, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000 },
    masterKeys: `test:${Buffer.alloc(32, 9).toString('base64')}`,
  });
  await keys.clients.create({ name: 'kept', env: 'test', scopes: ['recharges:read'], accounts: ['*'] });
  await keys.close();
  await waitingWork();
  await books.domain.chain.seal();
  // The row of this client is not sealed.
  await books.domain.clients.create({ name: 'later', env: 'test', scopes: [], accounts: ['*'] });
});
afterAll(async () => {
  await Promise.all(opened.map((one) => one.release()));
  await books.close();
  rmSync(dir, { recursive: true });
});

/** A plan under way, a rule, a recharge that needs an approval, and an account with a time zone. */
async function waitingWork(): Promise<void> {
  const { domain } = books;
  const common = { clientId: newRecharge({ id: uuidv7() }).clientId, idempotencyKey: null, currency: 'USD' };
  const planId = uuidv7();
  await domain.plans.create({
    ...{ ...common, id: planId, name: 'november', totalMinor: 5n, budgetMinor: null, canaryMinor: null },
    ...{ createdBy: 'operator', correlationId: 'c-1' },
    lines: [
      { line: 1, accountId: 'acct-1', amountMinor: 5n, paymentMethod: 'sandbox' },
      { line: 2, accountId: 'acct-2', amountMinor: 5n, paymentMethod: 'sandbox' },
    ].map((line) => ({ ...line, providerAccount: null, destination: null, orderReference: null })),
  });
  await domain.plans.move({ planId, verb: 'start', by: 'operator' });
  await domain.rules.create({
    ...{
      ...common,
      id: uuidv7(),
      keyId: 'rk_test_kept',
      actor: 'books',
      accountId: 'acct-1',
      watch: 'wallet',
    },
    terms: {
      ...{
        belowMinor: 1_000n,
        recharge: { upToMinor: 5_000n },
        cooldownSeconds: 0,
        balance: 'available',
        canaryMinor: null,
        runwayDays: null,
      },
      caps: {
        perRechargeMinor: 5_000n,
        perDayMinor: 20_000n,
        perMonthMinor: 100_000n,
        timesPerDay: null,
        timesPerMonth: null,
      },
      ...{ mode: 'execute', quietHours: null, timeZone: 'UTC', expiresAt: null, dormantAfterDays: null },
    },
    recharge: {
      ...{ kind: 'collect', funding: 'wallet', paymentMethod: 'sandbox', destination: 'wallet' },
      metadata: {},
    },
  });
  const asked = newRecharge({ id: uuidv7(), amountMinor: 101n, approvalAboveMinor: 100n });
  expect(await domain.createRecharge(asked)).toMatchObject({ ok: true });
  await domain.accountMonths.setTimeZone({ accountId: 'acct-1', timeZone: 'Asia/Shanghai', setBy: 'books' });
}

const restoredViews = [
  ...['wallets', 'recharges', 'transitions', 'postings', 'provider_calls', 'cases', 'chain'],
  ...['approvals', 'rules', 'plans', 'plan_lines', 'payees', 'refunds'],
];

async function emptyDatabase(migrated = false): Promise<string> {
  const database = await createDatabase({ migrated });
  opened.push(database);
  return database.url;
}

async function imported(databaseUrl: string, folder: string) {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const env = { DATABASE_URL: databaseUrl, REPLENISH_DIR: '/nowhere' };
  const exitCode = await run(['import', folder], { env, say, complain: say });
  return { exitCode, text: lines.join('\n') };
}

async function rowsOf(databaseUrl: string, sql: string): Promise<unknown[]> {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 1 });
  const { rows } = await pool.query(sql);
  await pool.end();
  return rows;
}

const changed = (name: string, change: (folder: string) => void): string => {
  const folder = join(dir, name);
  cpSync(out, folder, { recursive: true });
  change(folder);
  return folder;
};

test('an archive in an empty database has the same books, which go on', async () => {
  const made = await books.run('export', 'archive', '--out', out, '--json');
  expect(made).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(made.text)).toMatchObject({ format: 'replenish-archive/1', chain: { unsealed: 1 } });
  expect(statSync(join(out, 'ledger_entry.ndjson')).mode & 0o077).toBe(0);

  const other = await emptyDatabase();
  const { exitCode, text } = await imported(other, out);
  expect({ exitCode, text }).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining('every invariant hold'),
  });
  for (const view of restoredViews)
    expect([view, await rowsOf(other, `select * from report.${view} order by 1, 2, 3`)]).toEqual([
      view,
      await rowsOf(books.databaseUrl, `select * from report.${view} order by 1, 2, 3`),
    ]);
  const domain = openDomain({
    ...{ databaseUrl: other, poolMax: 2, reconcileAfterMs: 60_000, providerTimeoutMs: 1_000 },
  });
  try {
    expect(await domain.chain.seal()).toBe(1);
    expect((await domain.chain.check()).broken).toEqual([]);
    expect(await domain.verify()).toEqual([]);
    const { rows: waiting } = await domain.approvals.list({ limit: 10 });
    expect(waiting).toMatchObject([{ kind: 'recharge', status: 'pending' }]);
    expect(await domain.accountMonths.timeZoneOf('acct-1')).toMatchObject({ timeZone: 'Asia/Shanghai' });
  } finally {
    await domain.close();
  }
  const guarded = rowsOf(other, 'update ledger_entry set amount_minor = 1');
  await expect(guarded).rejects.toThrow(/append-only/);
});

test('an archive has no secret of a key, and nothing with which a payer pays', () => {
  const keys = readFileSync(join(out, 'api_key.ndjson'), 'utf8').trim().split('\n');
  expect(keys.length).toBeGreaterThan(0);
  for (const key of keys) expect(Object.keys(JSON.parse(key))).not.toContain('secret_sealed');
  const [recharge] = readFileSync(join(out, 'recharge_transaction.ndjson'), 'utf8').split('\n');
  expect(Object.keys(JSON.parse(recharge!))).not.toContain('action');
});

test('a folder that is not empty takes no archive', async () => {
  expect(await books.run('export', 'archive', '--out', out)).toMatchObject({
    exitCode: 2,
    text: expect.stringContaining('is not empty'),
  });
});

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8'));
const writeManifest = (folder: string, manifest: object) =>
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));

describe('nothing is imported', () => {
  test.each<[string, (folder: string) => void, RegExp]>([
    [
      'of a file that was changed',
      (folder) => {
        const file = join(folder, 'ledger_entry.ndjson');
        writeFileSync(
          file,
          readFileSync(file, 'utf8').replace('"amount_minor": 4999', '"amount_minor": 5999'),
        );
      },
      /ledger_entry\.ndjson is not the file of the manifest/,
    ],
    [
      'of a file with a row more',
      (folder) => appendFileSync(join(folder, 'payee.ndjson'), '{"account_id": "x"}\n'),
      /payee\.ndjson is not the file of the manifest/,
    ],
    [
      'of other balances',
      (folder) => {
        const manifest = manifestOf(folder);
        writeManifest(folder, { ...manifest, balances: { ...manifest.balances, sha256: '0'.repeat(64) } });
      },
      /the balances are not those of the archive/,
    ],
    [
      'of another chain',
      (folder) => {
        const manifest = manifestOf(folder);
        writeManifest(folder, { ...manifest, chain: { ...manifest.chain, hash: '0'.repeat(64) } });
      },
      /the head of the chain is not that of the archive/,
    ],
    [
      'of another schema',
      (folder) => writeManifest(folder, { ...manifestOf(folder), migrations: ['20990101000000_other'] }),
      /another schema/,
    ],
    ['without a manifest', (folder) => rmSync(join(folder, 'manifest.json')), /has no manifest\.json/],
  ])('%s', async (name, change, words) => {
    const folder = changed(name.replaceAll(' ', '-'), change);
    const databaseUrl = await emptyDatabase(true);
    const { exitCode, text } = await imported(databaseUrl, folder);
    expect({ exitCode, text }).toMatchObject({
      exitCode: expect.any(Number),
      text: expect.stringMatching(words),
    });
    expect(exitCode).not.toBe(0);
    expect(await rowsOf(databaseUrl, 'select count(*)::int from client')).toEqual([{ count: 0 }]);
    await expect(rowsOf(databaseUrl, 'truncate ledger_entry')).rejects.toThrow(/append-only/);
  });

  test('into a database that is not empty', async () => {
    const { exitCode, text } = await imported(books.databaseUrl, out);
    expect({ exitCode, text }).toEqual({
      exitCode: 1,
      text: expect.stringMatching(/the database is not empty: client/),
    });
  });
});
