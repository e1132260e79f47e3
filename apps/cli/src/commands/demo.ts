import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Env, localStateDir, newId, readConfig } from '@replenish/runtime';
import type { Command } from '../command.js';
import type { DemoClient } from '../start/demo-client.js';
import { readinessOf } from '../start/probe.js';
import { readJson } from '../start/state.js';
import { ingressUrl, isShownOnce, LAST_LINE } from '../start/welcome.js';

type Happened = Readonly<{ at: string; kind: string } & Record<string, unknown>>;

// A cold start takes four seconds; a slow disk takes a few times that.
const START_LIMIT_MS = 60_000;
const LIFE_LIMIT_MS = 30_000;

/** One recharge from request to ledger, printed as it happens. Starts the fleet for it when it is not up. */
export const demo: Command<'demo'> = async ({ values, env, say, complain }) => {
  const config = readConfig(env);
  const ingress = ingressUrl(config);
  const wasUp = (await readinessOf(ingress)) === 'ready';
  const fleet = wasUp ? null : await startFleet(env, values.json ? complain : say);
  try {
    const client = readJson<DemoClient>(localStateDir(env), 'demo-client.json');
    if (!client)
      throw new Error('there is no demo client: it is made by the first `npm start` outside production');
    return await showOne(reader(ingress, client), values.json ? asJson(say) : asText(say));
  } finally {
    if (fleet) await stopFleet(fleet);
  }
};

async function startFleet(env: Env, tell: (line: string) => void): Promise<ChildProcess> {
  tell('The fleet is not up: it is started for the demo, and stopped after it.');
  const fleet = spawn(process.execPath, [process.argv[1]!, 'start'], {
    env: { ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  const late = setTimeout(() => {
    said.push(`it was not ready after ${START_LIMIT_MS / 1_000} s`);
    fleet.kill('SIGTERM');
  }, START_LIMIT_MS);
  for await (const line of createInterface(fleet.stdout)) {
    said.push(line);
    if (isShownOnce(line)) tell(line);
    if (line === LAST_LINE) break;
  }
  clearTimeout(late);
  if (said.at(-1) !== LAST_LINE) throw new Error(`the fleet could not be started:\n${said.join('\n')}`);
  fleet.stdout.resume();
  return fleet;
}

async function stopFleet(fleet: ChildProcess): Promise<void> {
  if (fleet.exitCode !== null || fleet.signalCode !== null) return;
  fleet.kill('SIGTERM');
  await once(fleet, 'exit');
}

const ACCOUNT = 'acct-demo';

async function showOne(get: Get, show: Show): Promise<number> {
  show.asked();
  const { transactionId } = await get<{ transactionId: string }>('/v1/recharges', {
    method: 'POST',
    headers: { 'idempotency-key': `demo-${newId()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ accountId: ACCOUNT, amount: 4999, currency: 'USD', paymentMethod: 'sandbox' }),
  });
  const status = await follow(transactionId, get, show.happened);
  const balance = await get<Balance>(`/v1/account/balance?accountId=${ACCOUNT}`);
  show.balance({
    ...balance,
    history: balance.history.filter((entry) => entry.transactionId === transactionId),
  });
  return status === 'succeeded' ? 0 : 1;
}

type Show = Readonly<{
  asked: () => void;
  happened: (row: Happened, sinceFirstMs: number) => void;
  balance: (balance: Balance) => void;
}>;

const asJson = (say: (line: string) => void): Show => ({
  asked: () => {},
  happened: (row) => say(JSON.stringify(row)),
  balance: (balance) => say(JSON.stringify({ kind: 'balance', ...balance })),
});

const asText = (say: (line: string) => void): Show => ({
  asked: () => say(`POST /v1/recharges  49.99 USD to ${ACCOUNT}`),
  happened: (row, sinceFirstMs) =>
    say(`  +${String(sinceFirstMs).padStart(5)} ms  ${row.kind.padEnd(13)} ${sentenceOf(row)}`),
  balance: ({ history, balances }) => {
    say('');
    say(`ledger of ${ACCOUNT}`);
    for (const e of history)
      say(
        `  ${e.slot.padEnd(10)} ${e.counterparty} -> wallet:${ACCOUNT}:available  ${e.amount} ${e.currency}`,
      );
    for (const b of balances)
      say(`  balance    available ${b.available}, frozen ${b.frozen} ${b.currency} (minor units)`);
  },
});

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
    const response = await fetch(base + path, { ...init, headers }).catch((error: Error) => {
      const { message } = (error.cause as Error | undefined) ?? error;
      throw new Error(`${base}: ${message}`, { cause: error });
    });
    if (!response.ok)
      throw new Error(`${init.method ?? 'GET'} ${path}: ${response.status} ${await response.text()}`);
    return response.json() as never;
  };

/** Shows each thing as it appears on the timeline, until the recharge is final. */
async function follow(id: string, get: Get, happened: Show['happened']): Promise<string> {
  const until = Date.now() + LIFE_LIMIT_MS;
  const said = new Set<string>();
  let first: number | null = null;
  for (;;) {
    const { status } = await get<{ status: string }>(`/v1/recharges/${id}`);
    const { data } = await get<{ data: Happened[] }>(`/v1/recharges/${id}/timeline`);
    for (const row of data) {
      first ??= Date.parse(row.at);
      const text = `${row.kind} ${sentenceOf(row)}`;
      if (said.has(text)) continue;
      said.add(text);
      happened(row, Date.parse(row.at) - first);
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
