import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createDatabase } from '@replenish/testing';
import { Prisma } from '../../src/generated/client.js';
import { openDatabase, type Store } from '../../src/store/database/database.js';
import { columns, type Row } from '../../src/store/database/rows.js';

const postings = columns({ debit: 'text', amountMinor: 'bigint' });
const plans = columns({
  id: 'uuid',
  version: 'int',
  dueInMs: 'bigint?',
  filed: 'boolean',
  detail: 'jsonb?',
  postings,
});

let store: Store;
let release: () => Promise<void>;
beforeAll(async () => {
  const database = await createDatabase();
  store = openDatabase({ databaseUrl: database.url, poolMax: 1, onConnectionLost: () => {} });
  release = () => database.release();
});
afterAll(async () => {
  await store.close();
  await release();
});

const id = '00000000-0000-7000-8000-00000000000a';

test('a statement receives rows unchanged, with their lists and bigints', async () => {
  const given: Row<typeof plans> = {
    id,
    version: 3,
    dueInMs: 9_007_199_254_740_993n,
    filed: true,
    detail: { a: null },
    postings: [{ debit: 'x', amountMinor: 2n ** 62n }],
  };
  const rows = await store.run(Prisma.sql`
    with input as ${plans.from([given, { ...given, dueInMs: null, detail: null, postings: [] }])}
    select id, version, "dueInMs", filed, detail,
      (select sum("amountMinor")::bigint from jsonb_to_recordset(postings) as p(${postings.list})) as sum
    from input`);
  expect(rows).toEqual([
    { id, version: 3, dueInMs: 9_007_199_254_740_993n, filed: true, detail: { a: null }, sum: 2n ** 62n },
    { id, version: 3, dueInMs: null, filed: true, detail: null, sum: null },
  ]);
});

test('an unknown column name does not compile, nor does a null in a column without nulls', () => {
  // @ts-expect-error: misspelt
  const misspelt: Row<typeof postings> = { debit: 'x', amountMinr: 1n };
  // @ts-expect-error: an amount is never null
  const empty: Row<typeof postings> = { debit: 'x', amountMinor: null };
  expect([misspelt, empty]).toHaveLength(2);
});

test('columns that are null are not sent, in rows and in their lists', () => {
  const calls = columns({ outcome: 'text?', ms: 'bigint?', is: 'boolean' });
  const all = columns({ id: 'uuid', dueInMs: 'bigint?', detail: 'jsonb?', calls });
  const row: Row<typeof all> = {
    id,
    dueInMs: null,
    detail: { a: null },
    calls: [{ outcome: null, ms: 0n, is: false }],
  };
  expect(JSON.parse(all.json([row, { ...row, detail: null, calls: [] }]))).toEqual([
    { id, detail: { a: null }, calls: [{ ms: '0', is: false }] },
    { id, calls: [] },
  ]);
  expect(all.plain([row])).toEqual([{ ...row, calls: [{ outcome: null, ms: '0', is: false }] }]);
});
