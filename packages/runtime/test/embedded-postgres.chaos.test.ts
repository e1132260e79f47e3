import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pg from 'pg';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../src/embedded-postgres/index.js';

let dir: string;
const running: EmbeddedPostgres[] = [];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'replenish-postgres-'));
});

afterEach(async () => {
  for (const postgres of running.splice(0)) await postgres.stop();
  rmSync(dir, { recursive: true, force: true });
});

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

async function until(condition: () => boolean): Promise<void> {
  const giveUpAt = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > giveUpAt) throw new Error(`not in 10 s: ${condition}`);
    await sleep(20);
  }
}

/** Starts another process that runs a PostgreSQL on the folder. */
async function holder(): Promise<{ parent: ChildProcess; pid: number }> {
  const parent = fork(join(import.meta.dirname, 'holds-postgres.mjs'), [dir]);
  const [{ pid }] = (await once(parent, 'message')) as [{ pid: number }];
  return { parent, pid };
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('PostgreSQL works below a folder that other users may not enter, and never runs as root', async () => {
  const closed = join(dir, 'closed');
  mkdirSync(closed, { mode: 0o700 });
  const postgres = await openEmbeddedPostgres({ dir: join(closed, 'inner'), durable: false });
  running.push(postgres);
  expect(await ask(postgres.url, 'select 1')).toEqual([1]);
  expect(readFileSync(`/proc/${postgres.pid}/status`, 'utf8')).not.toMatch(/^Uid:\s+0\s/m);
});

test('PostgreSQL moves to another port when its own is taken', async () => {
  const first = await open();
  await first.stop();
  const taken = createServer().listen(Number(new URL(first.url).port), '127.0.0.1');
  await once(taken, 'listening');
  try {
    const second = await open();
    expect(second.url).not.toBe(first.url);
    expect(await ask(second.url, 'select 1')).toEqual([1]);
  } finally {
    taken.close();
  }
});

test('PostgreSQL ends when the process that started it is killed', async () => {
  const { parent, pid } = await holder();
  expect(alive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !alive(pid));
});

test('a PostgreSQL that outlived its starter and its supervisor is ended by the next start', async () => {
  const { parent, pid } = await holder();
  const supervisor = parentOf(pid);
  // The supervisor's fork also ends PostgreSQL, so it is killed too. It is a child of the supervisor, like PostgreSQL.
  const children = readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8').trim().split(' ');
  for (const child of children.map(Number)) if (child !== pid) process.kill(child, 'SIGKILL');
  process.kill(supervisor, 'SIGKILL');
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  expect(alive(pid)).toBe(true);

  const next = await open();
  expect(alive(pid)).toBe(false);
  expect(await ask(next.url, 'select 1')).toEqual([1]);
});

test('`exited` resolves when PostgreSQL ends by itself', async () => {
  const postgres = await open();
  process.kill(postgres.pid, 'SIGQUIT');
  expect(await postgres.exited).toEqual({ code: 0, signal: null });
});
