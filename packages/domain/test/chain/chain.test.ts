import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { execute, until } from '@replenish/testing';
import pg from 'pg';
import { Prisma } from '../../src/generated/client.js';
import { bodyOf, hashOf } from '../../src/store/chain/links.js';
import { seal } from '../../src/store/chain/seal.js';
import type { Run } from '../../src/store/database/database.js';
import { type Books, deposit, openBooks, recharged, reportOf } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

/** Seals until nothing is left to seal. */
async function sealAll(): Promise<void> {
  while ((await books.domain.chain.head()).unsealed > 0) await books.domain.chain.seal();
}

/** Changes the books while their guarding triggers are off, as an owner of the database could. */
const tampered = (sql: string) =>
  execute(
    books.url,
    `set session_replication_role = replica; ${sql}; set session_replication_role = default`,
  );

let undo: string[] = [];
afterEach(async () => {
  for (const sql of undo.reverse()) await tampered(sql);
  undo = [];
});

test('rows wait for their link, and the chain then holds', async () => {
  await deposit(books.domain, 'acct-1', 10_000n);
  await recharged(books.domain, { kind: 'deliver' }, 'submit', 'settled');
  const late = await recharged(books.domain, {}, 'submit', 'declined');
  await books.domain.applyNews(reportOf(late, 'settled'));
  expect((await books.domain.chain.head()).unsealed).toBeGreaterThan(5);
  await sealAll();
  const { head, unsealed, broken } = await books.domain.chain.check();
  expect(broken).toEqual([]);
  expect(unsealed).toBe(0);
  const [{ rows } = { rows: 0 }] = await books.rows<{ rows: number }>(`
    select ((select count(*) from ledger_journal) + (select count(*) from transition)
      + (select count(*) from operator_action) + (select count(*) from reconciliation_case))::int as rows`);
  expect(Number(head.seq)).toBe(rows);
  expect(await books.domain.chain.head()).toEqual({ ...head, unsealed: 0 });
});

test('several sealers at once seal each row once', async () => {
  const domains = [books.domain, books.open(), books.open()];
  await Promise.all(Array.from({ length: 60 }, () => recharged(books.domain, {}, 'submit', 'settled')));
  while ((await books.domain.chain.head()).unsealed > 0)
    await Promise.all(domains.map((domain) => domain.chain.seal()));
  expect((await books.domain.chain.check()).broken).toEqual([]);
  const twice = await books.rows(
    `select row_key from chain_link where source in ('journal', 'transition') group by row_key having count(*) > 1`,
  );
  expect(twice).toEqual([]);
});

test.each([
  [
    'an entry',
    'journal',
    `select journal_id::text as key from ledger_entry order by id limit 1 offset 2`,
    (key: string) => `update ledger_entry set amount_minor = amount_minor + 1 where journal_id = '${key}'`,
    (key: string) => `update ledger_entry set amount_minor = amount_minor - 1 where journal_id = '${key}'`,
  ],
  [
    'a transition',
    'transition',
    `select transaction_id || ' ' || seq as key from transition order by at limit 1 offset 3`,
    (key: string) => `update transition set reason = reason || '!' where ${isStep(key)}`,
    (key: string) => `update transition set reason = rtrim(reason, '!') where ${isStep(key)}`,
  ],
  [
    'a case',
    'case',
    'select id::text as key from reconciliation_case limit 1',
    (key: string) =>
      `update reconciliation_case set opened_at = opened_at + interval '1 day' where id = '${key}'`,
    (key: string) =>
      `update reconciliation_case set opened_at = opened_at - interval '1 day' where id = '${key}'`,
  ],
])('a changed byte of %s is named', async (_, source, find, change, repair) => {
  await sealAll();
  const [{ key } = { key: '' }] = await books.rows<{ key: string }>(find);
  undo.push(repair(key));
  await tampered(change(key));
  const { broken } = await books.domain.chain.check();
  expect(broken).toEqual([expect.objectContaining({ source, rowKey: key, why: 'changed' })]);
});

const isStep = (key: string): string => {
  const [id, seq] = key.split(' ');
  return `transaction_id = '${id}' and seq = ${seq}`;
};

test('a row that was changed together with its own link breaks the link behind it', async () => {
  await sealAll();
  const { chain } = books.domain;
  const [first] = await books.rows<{ seq: string }>(
    `select seq from chain_link where source = 'transition' and seq > 1 order by seq limit 1`,
  );
  const seq = Number(first!.seq);
  const [before, link, next] = [await linkAt(seq - 1), await linkAt(seq), await linkAt(seq + 1)];
  const hashed = (hash: Buffer) =>
    `update chain_link set hash = decode('${hash.toString('hex')}', 'hex') where seq = ${seq}`;
  undo.push(
    `update transition set reason = rtrim(reason, '!') where ${isStep(link.rowKey)}`,
    hashed(link.hash),
  );
  await tampered(`update transition set reason = reason || '!' where ${isStep(link.rowKey)}`);
  await tampered(hashed(hashOf(before.hash, await linkAt(seq))));
  expect((await chain.check()).broken).toEqual([
    { seq: BigInt(seq + 1), source: next.source, rowKey: next.rowKey, why: 'changed' },
  ]);
});

async function linkAt(seq: number) {
  const body = bodyOf(Prisma.sql`source`, Prisma.sql`row_key`).text;
  const [link] = await books.rows<{ source: string; rowKey: string; body: string; hash: Buffer }>(
    `select source, row_key as "rowKey", (${body})::text as body, hash from chain_link where seq = $1`,
    [seq],
  );
  return link!;
}

test('a row that was written past the triggers is named', async () => {
  await sealAll();
  const [{ id } = { id: '' }] = await books.rows<{ id: string }>(
    'select id::text from recharge_transaction limit 1',
  );
  const journal = '00000000-0000-7000-8000-0000000000ff';
  undo.push(`delete from ledger_journal where id = '${journal}'`);
  await tampered(
    `insert into ledger_journal (id, transaction_id, slot, at) values ('${journal}', '${id}', 'hold', now())`,
  );
  expect((await books.domain.chain.check()).broken).toEqual([
    { seq: null, source: 'journal', rowKey: journal, why: 'not sealed' },
  ]);
});

test('a deleted link is named', async () => {
  await sealAll();
  await tampered(
    'create table kept_link as select * from chain_link where seq = 3; delete from chain_link where seq = 3',
  );
  undo.push('insert into chain_link select * from kept_link; drop table kept_link');
  const { broken } = await books.domain.chain.check();
  expect(broken[0]).toMatchObject({ seq: 3n, why: 'link missing' });
});

test('a saved head is a prefix of the chain, and an older database or another chain is told apart', async () => {
  await sealAll();
  const saved = await books.domain.chain.head();
  await recharged(books.domain, {}, 'submit', 'settled');
  await sealAll();
  const { chain } = books.domain;
  expect((await chain.head()).seq).toBeGreaterThan(saved.seq);
  expect(await chain.checkHead(saved)).toBe('holds');
  expect(await chain.checkHead({ ...saved, hash: 'ff'.repeat(32) })).toBe('other chain');
  expect(await chain.checkHead({ ...saved, seq: saved.seq + 1_000n })).toBe('older database');
});

test('the proof adds up each currency to zero and names every invariant', async () => {
  const proof = await books.domain.proof();
  expect(proof.currencies.length).toBeGreaterThan(0);
  for (const { sum, entries } of proof.currencies) {
    expect(sum).toBe(0n);
    expect(entries).toBeGreaterThan(0n);
  }
  expect(proof.invariants.filter(({ ok }) => !ok)).toEqual([]);
  undo.push(
    `update ledger_account set balance_minor = balance_minor - 5 where name = 'wallet:acct-1:available'`,
  );
  await tampered(
    `update ledger_account set balance_minor = balance_minor + 5 where name = 'wallet:acct-1:available'`,
  );
  const wrong = await books.domain.proof();
  expect(wrong.currencies.map(({ sum }) => sum)).toContain(5n);
  expect(wrong.invariants).toContainEqual({ name: 'books_close', ok: false });
});

test('a link says each time of its row in whole milliseconds', async () => {
  const times = [
    '1969-12-31T23:59:59.999Z',
    '2026-11-29T23:48:11.001Z',
    '2026-12-31T23:59:59.999Z',
    '2038-01-19T03:14:08.500Z',
    '9999-12-31T23:59:59.999Z',
  ];
  const said = await books.rows<{ ms: string | null }>(
    'select chain_ms(at::timestamptz) as ms from unnest($1::text[]) with ordinality as time(at, n) order by n',
    [[...times, null]],
  );
  expect(said.map(({ ms }) => ms)).toEqual([...times.map((time) => String(Date.parse(time))), null]);
});

test('a connection plans the statement that seals once', async () => {
  const client = new pg.Client({ connectionString: books.url });
  await client.connect();
  const run: Run = async ({ text, values }) =>
    (await client.query({ name: 'seal', text, values: [...values] })).rows;
  for (let n = 0; n < 7; n++) await seal(run, 0);
  const plans = await client.query(
    `select custom_plans::int as custom, generic_plans::int as kept from pg_prepared_statements where name = 'seal'`,
  );
  await client.end();
  expect(plans.rows).toEqual([{ custom: 0, kept: 7 }]);
});

// This test seals rows a second time, so it comes last.
test('a sealer whose numbers another one has taken leaves its rows for the next time', async () => {
  await sealAll();
  const first = new pg.Client({ connectionString: books.url });
  await first.connect();
  const runOfFirst: Run = async (statement) =>
    (await first.query(statement.text, [...statement.values])).rows;
  await first.query('begin');
  // A note that is committed late stands before those of the second sealer, and fills a batch of its own.
  await first.query(`insert into unsealed (id, source, keys)
    select 0, 'transition', array_agg(transaction_id || ' ' || seq) from (select * from transition limit 100) oldest`);
  expect(await seal(runOfFirst, 0)).toBe(100);
  await recharged(books.domain, {}, 'submit', 'settled');
  const { unsealed } = await books.domain.chain.head();
  const second = books.domain.chain.seal();
  await waitsForLock();
  await first.query('commit');
  await first.end();
  expect(await second).toBe(0);
  expect((await books.domain.chain.head()).unsealed).toBe(unsealed);
  await sealAll();
  expect((await books.domain.chain.check()).broken).toEqual([]);
});

const waitsForLock = () =>
  until(
    async () => {
      const waiting = await books.rows(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.length === 1;
    },
    { limitMs: 60_000 },
    'the second sealer waits for the first',
  );
