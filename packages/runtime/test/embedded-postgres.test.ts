import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import pg from 'pg';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../src/embedded-postgres/index.js';

let dir: string;
const running: EmbeddedPostgres[] = [];

// A new data folder takes seconds of work, so all tests use the same one, each with a start of its own.
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'replenish-postgres-'));
});
afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.stop();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function open(durable = false): Promise<EmbeddedPostgres> {
  const postgres = await openEmbeddedPostgres({ dir, durable });
  running.push(postgres);
  return postgres;
}

async function ask<T>(url: string, question: string): Promise<T[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query({ text: question, rowMode: 'array' })).rows.flat() as T[];
  } finally {
    await client.end();
  }
}

const alive = (pid: number): boolean => existsSync(`/proc/${pid}`);

test('a restart keeps the data and the URL', async () => {
  const first = await open(true);
  await ask(first.url, 'create table kept as select 7 as n');
  await first.stop();
  expect(alive(first.pid)).toBe(false);

  const second = await open(true);
  expect(second.url).toBe(first.url);
  expect(await ask(second.url, 'select n from kept')).toEqual([7]);
});

test('the database is durable, uses UTF-8 and locale C, accepts 200 sessions, and has a private password file', async () => {
  const { url } = await open(true);
  const names = [
    'fsync',
    'synchronous_commit',
    'server_encoding',
    'max_connections',
    'unix_socket_directories',
  ];
  const shown = await ask(url, `select ${names.map((name) => `current_setting('${name}')`).join(', ')}`);
  expect(shown).toEqual(['on', 'on', 'UTF8', '200', '']);
  expect(await ask(url, 'select datcollate from pg_database where datname = current_database()')).toEqual([
    'C',
  ]);
  expect(statSync(join(dir, 'password')).mode & 0o777).toBe(0o600);
  await expect(ask(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow(
    'password authentication failed',
  );
});

test('the database has a second role that owns nothing and keeps its password; an older data folder gets the role', async () => {
  const first = await open();
  expect(await ask(first.appUrl, `select current_user::text, current_setting('is_superuser')`)).toEqual([
    'replenish_app',
    'off',
  ]);
  expect(statSync(join(dir, 'app-password')).mode & 0o777).toBe(0o600);
  await ask(first.url, 'drop role replenish_app');
  await first.stop();
  const second = await open();
  expect(second.appUrl).toBe(first.appUrl);
  await second.stop();
  rmSync(join(dir, 'app-password'));
  const third = await open();
  expect(third.appUrl).not.toBe(first.appUrl);
  expect(await ask(third.appUrl, 'select 1')).toEqual([1]);
});

// This is the last test, because the data folder stays broken.
test('if the data folder cannot be started, the error contains the log', async () => {
  const first = await open();
  await first.stop();
  rmSync(join(dir, 'data', 'global', 'pg_control'));
  await expect(open()).rejects.toThrow(/could not find the database system/);
});
