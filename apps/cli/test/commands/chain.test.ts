import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
let dir: string;
beforeAll(async () => {
  books = await openCommandBooks();
  dir = await mkdtemp(join(tmpdir(), 'replenish-chain-'));
  await execute(
    books.databaseUrl,
    `insert into client (id, name, env) values (gen_random_uuid(), 'chained', 'test')`,
  );
  await execute(
    books.databaseUrl,
    `insert into api_key (id, client_id, secret_hash, scopes, accounts)
      select 'rk_test_' || n, (select id from client where name = 'chained'), sha256(n::text::bytea), '{}', '{}'
      from generate_series(1, 5) n`,
  );
});
afterAll(async () => {
  await rm(dir, { recursive: true });
  await books.close();
});

const save = async (name: string, text: string): Promise<string> => {
  const file = join(dir, name);
  await writeFile(file, text);
  return file;
};

test('a saved head is proven later, and a changed row is named with exit code 1', async () => {
  expect((await books.run('chain', 'head')).text).toContain('5 rows are not sealed yet');
  await books.domain.chain.seal();
  const head = await books.run('chain', 'head', '--json');
  expect(JSON.parse(head.text)).toMatchObject({
    seq: 5,
    unsealed: 0,
    hash: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  const file = await save('head.json', head.text);
  expect(await books.run('chain', 'check', '--head', file)).toMatchObject({
    exitCode: 0,
    text: expect.stringMatching(/^holds/),
  });
  expect(await books.run('verify', '--chain')).toMatchObject({
    exitCode: 0,
    text: expect.stringContaining('the chain of 5 rows holds'),
  });

  const ahead = await save('ahead.json', head.text.replace('"seq":5', '"seq":6'));
  expect(await books.run('chain', 'check', '--head', ahead)).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining('older'),
  });
  const other = await save('other.json', head.text.replace(/"hash":"..../, '"hash":"0000'));
  expect(await books.run('chain', 'check', '--head', other)).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining('BROKEN'),
  });

  await execute(books.databaseUrl, `alter table api_key disable trigger api_key_unsealed`);
  await execute(books.databaseUrl, `update api_key set scopes = '{recharges:write}' where id = 'rk_test_3'`);
  const found = await books.run('verify', '--chain');
  expect(found).toMatchObject({
    exitCode: 1,
    text: expect.stringContaining('key rk_test_3 was changed after it was sealed'),
  });
  const asJson = JSON.parse((await books.run('verify', '--chain', '--json')).text) as {
    chain: { broken: object[] };
  };
  expect(asJson.chain.broken).toEqual([
    { seq: expect.any(Number), source: 'key', rowKey: 'rk_test_3', why: 'changed' },
  ]);
});

test.each([
  ['nothing there', null],
  ['no JSON', 'hello'],
  ['another thing', '{"seq":1}'],
])('a head file with %s is refused in words', async (_, text) => {
  const file = text === null ? join(dir, 'missing.json') : await save('wrong.json', text);
  const { exitCode, text: said } = await books.run('chain', 'check', '--head', file);
  expect(exitCode).toBe(2);
  expect(said).toContain(file);
});
