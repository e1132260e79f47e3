import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { Prisma } from '../../src/generated/client.js';
import { openDatabase, sessionPins } from '../../src/store/database/database.js';
import { type Books, newRecharge, openBooks, reportOf } from '../support/books.js';

/**
 * Settings that a server, a database or a role may have for each session, and that must not change our results. Those of
 * a group are tried together. A setting that has an effect has it as well beside others that have none.
 */
const hostile: Record<string, Record<string, string>> = {
  'forms of values': {
    datestyle: `'German'`,
    intervalstyle: `'iso_8601'`,
    timezone: `'Asia/Kathmandu'`,
    bytea_output: `'escape'`,
    extra_float_digits: '-15',
    client_encoding: `'LATIN1'`,
    array_nulls: 'off',
  },
  'meanings of texts': {
    standard_conforming_strings: 'off',
    backslash_quote: 'on',
    transform_null_equals: 'on',
    search_path: `'pg_catalog'`,
  },
  'kinds of transactions': {
    default_transaction_isolation: `'serializable'`,
    default_transaction_deferrable: 'on',
    synchronous_commit: 'off',
    row_security: 'off',
    session_replication_role: 'replica',
  },
  'kinds of plans': {
    enable_seqscan: 'on',
    enable_bitmapscan: 'on',
    enable_hashjoin: 'on',
    enable_mergejoin: 'on',
    jit: 'on',
    plan_cache_mode: 'force_custom_plan',
  },
  'limits of time': {
    statement_timeout: '500',
    lock_timeout: '1',
    idle_session_timeout: '500',
    idle_in_transaction_session_timeout: '1',
  },
};

let books: Books;
let database: string;
beforeAll(async () => {
  books = await openBooks();
  database = new URL(books.url).pathname.slice(1);
});
afterAll(() => books.close());

const { TEST_POSTGRES_URL: server = '' } = process.env;

/** Carries one recharge from its request to its success, as a new process would under these settings. */
async function carried() {
  const domain = books.open();
  const ask = newRecharge({ accountId: `acct-${uuidv7()}`, requestedAt: new Date('2026-11-21T22:00:00Z') });
  const created = await domain.createRecharge(ask);
  const replayed = await domain.createRecharge({ ...ask, id: uuidv7() });
  const event = {
    provider: 'sandbox',
    eventId: ask.id,
    rawBody: Buffer.from([0, 255, 92]),
    correlationId: 'c',
  };
  await domain.inbox.keep({ id: ask.id, ...event });
  const stored = await domain.inbox.read(ask.id);
  await domain.applyNews(reportOf(ask.id, 'submit'));
  await domain.applyNews(reportOf(ask.id, 'settled', { source: 'webhook', eventId: ask.id }));
  const [recharge, timeline, balances, findings] = [
    await domain.reads.recharge(ask.id),
    await domain.reads.timeline(ask.id),
    await domain.balances.of(ask.accountId),
    await domain.verify(),
  ];
  const keys = await domain.clients.list();
  return { created, replayed, stored, recharge, timeline, balances, findings, keys };
}

const now = () => Date.now();

describe('a session has the settings that the statements rely on, even if the database has others', () => {
  test.each(Object.entries(hostile))('%s: %j', async (_, settings) => {
    const each = (change: (name: string, value: string) => string) =>
      execute(
        server,
        Object.entries(settings)
          .map(([name, value]) => `alter database ${database} ${change(name, value)}`)
          .join(';'),
      );
    await each((name, value) => `set ${name} = ${value}`);
    try {
      const begun = now();
      const { created, replayed, stored, recharge, timeline, balances, findings, keys } = await carried();
      const isOfNow = (at: Date | undefined | null) => Math.abs(Number(at) - begun) < 60_000;
      expect(created).toMatchObject({ ok: true, replayed: false });
      expect(replayed).toMatchObject({ ok: true, replayed: true });
      for (const answer of [created, replayed])
        expect(answer.ok && isOfNow(answer.recharge.createdAt)).toBe(true);
      expect(stored?.rawBody).toEqual(Buffer.from([0, 255, 92]));
      expect(recharge).toMatchObject({ state: 'SUCCEEDED' });
      expect(isOfNow(recharge?.succeededAt)).toBe(true);
      expect(timeline.map(({ at }) => isOfNow(at))).not.toContain(false);
      expect(balances).toEqual([{ currency: 'USD', availableMinor: 4_999n, frozenMinor: 0n }]);
      expect({ findings, keys }).toEqual({ findings: [], keys: [] });
    } finally {
      await each((name) => `reset ${name}`);
    }
  });

  test('every pinned setting is in force in a session of the pool', async () => {
    const store = openDatabase({ databaseUrl: books.url, poolMax: 1, onConnectionLost: () => {} });
    const rows = await store.run<{ name: string; setting: string }>(Prisma.sql`
      select lower(name) as name, setting from pg_settings where lower(name) = any(${Object.keys(sessionPins)}::text[])`);
    await store.close();
    expect(rows.length).toBeGreaterThan(25);
    expect(rows.filter(({ name, setting }) => !sessionPins[name]!.includes(setting))).toEqual([]);
  });

  test('DATABASE_URL cannot set another date style', async () => {
    const url = new URL(books.url);
    url.searchParams.set('options', '-c datestyle=German');
    const domain = books.open({ databaseUrl: url.href });
    expect(await domain.createRecharge(newRecharge())).toMatchObject({ ok: true, replayed: false });
  });
});
