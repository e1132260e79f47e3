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

test('nulls before, between and after values stay with their rows, and so does a column without values', async () => {
  const some = columns({ id: 'uuid?', n: 'int?', word: 'text?', none: 'text?' });
  const given: Row<typeof some>[] = [
    { id: null, n: null, word: 'null', none: null },
    { id, n: 1, word: null, none: null },
    { id: null, n: null, word: '', none: null },
    { id: null, n: null, word: null, none: null },
  ];
  expect(await store.run(Prisma.sql`with input as ${some.from(given)} select * from input`)).toEqual(given);
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

const notes = columns({ id: 'uuid', at: 'timestamptz', text: 'text?', words: 'jsonb', share: 'float8' });
const read = async (rows: readonly Row<typeof notes>[]) =>
  store.run<Row<typeof notes>>(Prisma.sql`with input as ${notes.from(rows)} select * from input`);
const note = (text: string | null): Row<typeof notes> => ({
  id,
  at: new Date('2026-03-29T01:30:00.123Z'),
  text,
  words: { [String(text)]: [text, null] },
  share: 0.1 + 0.2,
});

test('a text that looks like a part of an array stays one text', async () => {
  const texts = [
    '',
    'null',
    'NULL',
    '"',
    '\\',
    '\\"',
    '","',
    '},{',
    '{}',
    'a,b',
    ' ',
    'a\nb\tc',
    "'",
    '😀 充值',
    null,
  ];
  const rows = texts.map(note);
  expect(await read(rows)).toEqual(rows);
  expect(await read([])).toEqual([]);
});

test('an id that is two ids is refused, and moves no value to another row', async () => {
  await expect(read([{ ...note('a'), id: `${id},${id}` }, note('b')])).rejects.toMatchObject({
    code: '22P02',
  });
});

test.each(['\ud800', 'a\udc00b', '\0'])(
  'a text that the database cannot hold is refused: %j',
  async (text) => {
    await expect(read([{ ...note('a'), text }])).rejects.toMatchObject({ code: '22021' });
    await expect(read([{ ...note('a'), words: { text } }])).rejects.toMatchObject({
      code: expect.stringMatching(/^22/),
    });
  },
);

test('a statement is planned once for all numbers of rows', async () => {
  for (let call = 1; call <= 20; call++)
    await store.run(Prisma.sql`
      with input as ${notes.from([note('planned once')])}
      select first.proname, second.proname, third.proname
      from input
      left join pg_proc first on first.oid = length(input.text)::oid
      left join pg_proc second on second.oid = (length(input.text) + 1)::oid
      left join pg_proc third on third.oid = (length(input.text) + 2)::oid`);
  const plans = await store.run(Prisma.sql`
    select custom_plans as custom, generic_plans as generic
    from pg_prepared_statements
    where statement like '%as "share"%left join pg_proc%' and statement not like '%pg_prepared%'`);
  // Postgres first makes five plans for the given values, and then compares their cost with that of one plan for all.
  expect(plans).toEqual([{ custom: 5n, generic: 15n }]);
});
