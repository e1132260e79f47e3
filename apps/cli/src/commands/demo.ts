import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, localStateDir, newId, readConfig } from '@replenish/runtime';
import type { Command, Desk } from '../command.js';
import type { DemoClient } from '../start/demo-client.js';
import { readJson } from '../start/state.js';
import { ingressUrl } from '../start/welcome.js';

type Happened = Readonly<{ at: string; kind: string } & Record<string, unknown>>;

// A cold start takes four seconds; a slow disk takes a few times that.
const START_LIMIT_MS = 60_000;
const LIFE_LIMIT_MS = 30_000;

/** One recharge from request to ledger, printed as it happens. Starts the fleet for it when it is not up. */
export const demo: Command<'demo'> = async (call) => {
  const config = readConfig(call.env);
  const wasUp = await isReady(config);
  const fleet = wasUp ? null : await startFleet(call, config);
  try {
    return await showOne(call, config);
  } finally {
    if (fleet) await stopFleet(fleet);
  }
};

async function isReady(config: Config): Promise<boolean> {
  try {
    return (await fetch(`${ingressUrl(config)}/readyz`)).ok;
  } catch {
    return false;
  }
}

async function startFleet({ env, say }: Desk, config: Config): Promise<ChildProcess> {
  say('The fleet is not up: it is started for the demo, and stopped after it.');
  const launcher = process.argv[1]!;
  const fleet = spawn(process.execPath, [launcher, 'start'], {
    env: { ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const until = Date.now() + START_LIMIT_MS;
  while (!(await isReady(config))) {
    if (fleet.exitCode !== null) throw new Error('the fleet could not be started');
    if (Date.now() > until) throw new Error(`the fleet was not ready after ${START_LIMIT_MS / 1_000} s`);
    await sleep(100);
  }
  return fleet;
}

async function stopFleet(fleet: ChildProcess): Promise<void> {
  if (fleet.exitCode !== null) return;
  fleet.kill('SIGTERM');
  await once(fleet, 'exit');
}

async function showOne({ env, say }: Desk, config: Config): Promise<number> {
  const client = readJson<DemoClient>(localStateDir(env), 'demo-client.json');
  if (!client)
    throw new Error('there is no demo client: it is made by the first `npm start` outside production');
  const get = reader(ingressUrl(config), client);
  const accountId = 'acct-demo';
  say(`POST /v1/recharges  49.99 USD to ${accountId}`);
  const { transactionId } = await get<{ transactionId: string }>('/v1/recharges', {
    method: 'POST',
    headers: { 'idempotency-key': `demo-${newId()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ accountId, amount: 4999, currency: 'USD', paymentMethod: 'sandbox' }),
  });
  const status = await follow(transactionId, get, say);
  say('');
  say(`ledger of ${accountId}`);
  const { history, balances } = await get<Balance>(`/v1/account/balance?accountId=${accountId}`);
  for (const e of history.filter((entry) => entry.transactionId === transactionId)) {
    say(
      `  ${e.slot.padEnd(10)} ${e.counterparty} -> wallet:${accountId}:available  ${e.amount} ${e.currency}`,
    );
  }
  for (const b of balances)
    say(`  balance    available ${b.available}, frozen ${b.frozen} ${b.currency} (minor units)`);
  return status === 'succeeded' ? 0 : 1;
}

type Get = <T>(path: string, init?: RequestInit) => Promise<T>;
type Balance = {
  history: { transactionId: string; slot: string; counterparty: string; amount: number; currency: string }[];
  balances: { currency: string; available: number; frozen: number }[];
};

const reader =
  (base: string, { keyId, secret }: DemoClient): Get =>
  async (path, init = {}) => {
    const headers = {
      ...(init.headers as Record<string, string>),
      authorization: `Bearer ${keyId}.${secret}`,
    };
    const response = await fetch(base + path, { ...init, headers });
    if (!response.ok)
      throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
    return response.json() as never;
  };

/** Prints each thing as it appears on the timeline, until the recharge is final. */
async function follow(id: string, get: Get, say: (line: string) => void): Promise<string> {
  const until = Date.now() + LIFE_LIMIT_MS;
  const said = new Set<string>();
  let first: number | null = null;
  for (;;) {
    const { status } = await get<{ status: string }>(`/v1/recharges/${id}`);
    const { data } = await get<{ data: Happened[] }>(`/v1/recharges/${id}/timeline`);
    for (const row of data) {
      first ??= Date.parse(row.at);
      const text = `${row.kind.padEnd(13)} ${sentenceOf(row)}`;
      if (said.has(text)) continue;
      said.add(text);
      say(`  +${String(Date.parse(row.at) - first).padStart(5)} ms  ${text}`);
    }
    const isOver = ['succeeded', 'failed', 'canceled'].includes(status);
    if (isOver || Date.now() > until) return status;
    await sleep(50);
  }
}

const sentences: Record<string, (row: Happened) => string> = {
  request: (row) => `stored with key ${row.idempotencyKey}`,
  transition: (row) => `${row.from} -> ${row.to}  (${row.source}: ${row.reason})`,
  provider_call: (row) => `${row.operation}, attempt ${row.attempt}: ${row.outcome}`,
  poll: (row) => `${row.operation}: ${row.outcome}`,
  webhook: (row) => `${row.provider} event kept${row.processedAt ? ' and processed' : ''}`,
  posting: (row) => `${row.slot}: ${row.debit} -> ${row.credit}  ${row.amount} ${row.currency}`,
  case: (row) => `${row.caseKind}`,
};

const sentenceOf = (row: Happened): string => sentences[row.kind]?.(row) ?? '';
