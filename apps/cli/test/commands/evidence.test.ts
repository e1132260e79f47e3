import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { run } from '../../src/run.js';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
let id: string;
const dir = mkdtempSync(join(tmpdir(), 'replenish-evidence-'));
beforeAll(async () => {
  books = await openCommandBooks();
  id = uuidv7();
  await books.domain.createRecharge(newRecharge({ id, amountMinor: 4_999n }));
  for (const news of ['submit', 'settled'] as const)
    await books.domain.applyNews({ transactionId: id, news, source: 'submission', reason: 'as tested' });
});
afterAll(async () => {
  await books.close();
  rmSync(dir, { recursive: true });
});

/** The check, in surroundings without a database. */
async function checked(text: string, ...options: string[]) {
  const file = join(dir, 'evidence.json');
  writeFileSync(file, text);
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const exitCode = await run(['evidence', 'check', file, ...options], { env: {}, say, complain: say });
  return { exitCode, text: lines.join('\n') };
}

test('what is printed is checked without a database, and what a file cannot show is said', async () => {
  const { exitCode, text } = await books.run('evidence', id);
  expect(exitCode).toBe(0);
  const found = await checked(text);
  expect(found.exitCode).toBe(0);
  expect(found.text).toMatch(/^holds: the hashes of 3 links/);
  expect(found.text).toMatch(/not known without the database: whether these links are in the chain/);
  const asJson = JSON.parse((await checked(text, '--json')).text);
  expect(asJson).toMatchObject({ ok: true, transactionId: id, faults: [], unknown: expect.any(Array) });
});

test('a changed file is called broken, with exit code 1', async () => {
  const { text } = await books.run('evidence', id, '--json');
  const found = await checked(text.replaceAll('4999', '4998'));
  expect(found.exitCode).toBe(1);
  expect(found.text).toMatch(/^BROKEN/);
  expect(JSON.parse((await checked(text.replaceAll('4999', '4998'), '--json')).text).ok).toBe(false);
});

test('the page holds its own styles', async () => {
  const { text } = await books.run('evidence', id, '--html');
  expect(text).toMatch(/^<!doctype html>[\s\S]*<style>[\s\S]*49\.99 USD[\s\S]*<\/html>$/);
});

test('what is no recharge and no pack is refused in words', async () => {
  expect(await books.run('evidence', uuidv7())).toMatchObject({
    exitCode: 1,
    text: expect.stringMatching(/^there is no recharge/),
  });
  expect((await books.run('evidence', 'x')).exitCode).toBe(2);
  expect((await books.run('evidence')).exitCode).toBe(2);
  expect((await books.run('evidence', id, '--html', '--json')).exitCode).toBe(2);
  expect((await checked('{"format":"other"}')).exitCode).toBe(2);
  expect((await books.run('evidence', 'check', join(dir, 'missing'))).exitCode).toBe(2);
});
