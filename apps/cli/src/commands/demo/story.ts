import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@replenish/runtime';
import type { DemoClient } from '../../start/state/demo-client.js';

type Happened = Readonly<{ at: string; kind: string } & Record<string, unknown>>;

const LIFE_LIMIT_MS = 30_000;

const ACCOUNT = 'acct-demo';

/** Creates one recharge and shows its timeline and its postings. Returns its last status. */
export async function showOne(get: Get, show: Show): Promise<string> {
  show.asked();
  const { transactionId } = await get<{ transactionId: string }>('/v1/recharges', {
    method: 'POST',
    headers: { 'idempotency-key': `demo-${newId()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ accountId: ACCOUNT, amount: 4999, currency: 'USD', paymentMethod: 'sandbox' }),
  });
  const status = await follow(transactionId, get, show.happened);
  const balance = await get<BalanceRow>(`/v1/account/balance?accountId=${ACCOUNT}`);
  show.balance({
    ...balance,
    history: balance.history.filter((entry) => entry.transactionId === transactionId),
  });
  return status;
}

type Show = Readonly<{
  asked: () => void;
  happened: (row: Happened, sinceFirstMs: number) => void;
  balance: (balance: BalanceRow) => void;
}>;

export const asJson = (say: (line: string) => void): Show => ({
  asked: () => {},
  happened: (row) => say(JSON.stringify(row)),
  balance: (balance) => say(JSON.stringify({ kind: 'balance', ...balance })),
});

export const asText = (say: (line: string) => void): Show => ({
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
type BalanceRow = {
  history: { transactionId: string; slot: string; counterparty: string; amount: number; currency: string }[];
  balances: { currency: string; available: number; frozen: number }[];
};

export const reader =
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

/** Shows new rows of the timeline until the recharge is final. */
async function follow(id: string, get: Get, happened: Show['happened']): Promise<string> {
  const startedAtMs = performance.now();
  let shown = 0;
  for (;;) {
    const { status } = await get<{ status: string }>(`/v1/recharges/${id}`);
    const { data } = await get<{ data: Happened[] }>(`/v1/recharges/${id}/timeline`);
    const isOver =
      ['succeeded', 'failed', 'canceled'].includes(status) || performance.now() - startedAtMs > LIFE_LIMIT_MS;
    const rows = isOver ? data : settledPart(data);
    for (const row of rows.slice(shown)) happened(row, Date.parse(row.at) - Date.parse(data[0]!.at));
    shown = Math.max(shown, rows.length);
    if (isOver) return status;
    await sleep(50);
  }
}

/**
 * The rows that can no longer change. A call or an event is a row at the time of its beginning. Until it has ended, its
 * row can change, so this row and all later rows are held back.
 */
function settledPart(rows: readonly Happened[]): readonly Happened[] {
  const at = rows.findIndex(
    (row) => row.outcome === 'unanswered' || (row.kind === 'webhook' && row.processedAt === null),
  );
  return at < 0 ? rows : rows.slice(0, at);
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
