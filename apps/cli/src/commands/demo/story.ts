import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@replenish/runtime';
import type { DemoClient } from '../../start/state/demo-client.js';

export type Happened = Readonly<{ at: string; kind: string } & Record<string, unknown>>;

export const LIFE_LIMIT_MS = 30_000;

/** The recharge that is asked for. */
export type DemoRecharge = Readonly<{
  accountId: string;
  amount: number;
  currency: string;
  paymentMethod: string;
}>;

const PLAIN: DemoRecharge = {
  accountId: 'acct-demo',
  amount: 4999,
  currency: 'USD',
  paymentMethod: 'sandbox',
};

/** Creates one recharge and shows its timeline and its postings. Returns its last status. */
export async function showOne(get: Get, show: Show): Promise<string> {
  const transactionId = await ask(get, show, PLAIN);
  const status = await follow(transactionId, get, show.happened);
  await showBalance(get, show, PLAIN.accountId, [transactionId]);
  return status;
}

/** Posts the recharge. Returns its id. */
export async function ask(get: Get, show: Show, asked: DemoRecharge, metadata = {}): Promise<string> {
  show.asked(asked);
  const { transactionId } = await get<{ transactionId: string }>('/v1/recharges', {
    method: 'POST',
    headers: { 'idempotency-key': `demo-${newId()}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...asked, metadata }),
  });
  return transactionId;
}

/** Shows the balance of an account, and what these transactions posted to it. */
export async function showBalance(
  get: Get,
  show: Show,
  accountId: string,
  ids: readonly string[],
): Promise<void> {
  const balance = await get<BalanceRow>(`/v1/account/balance?accountId=${accountId}`);
  show.balance({
    ...balance,
    history: balance.history.filter((entry) => ids.includes(entry.transactionId)),
  });
}

/** A transfer that the simulated cloud executed. */
export type Transfer = Readonly<{
  number: string;
  from: string;
  to: string;
  amount: number;
  currency: string;
}>;

export type Show = Readonly<{
  asked: (asked: DemoRecharge) => void;
  /** @param part the transaction of a whole recharge that the row belongs to */
  happened: (row: Happened, sinceFirstMs: number, part?: 'collect' | 'deliver') => void;
  balance: (balance: BalanceRow) => void;
  transfer: (transfer: Transfer) => void;
}>;

export const asJson = (say: (line: string) => void): Show => ({
  asked: () => {},
  happened: (row) => say(JSON.stringify(row)),
  balance: (balance) => say(JSON.stringify({ kind: 'balance', ...balance })),
  transfer: (transfer) => say(JSON.stringify({ ...transfer, kind: 'transfer' })),
});

export const asText = (say: (line: string) => void): Show => ({
  asked: ({ accountId, amount, currency }) =>
    say(`POST /v1/recharges  ${(amount / 100).toFixed(2)} ${currency} to ${accountId}`),
  happened: (row, sinceFirstMs, part) =>
    say(
      `  +${String(sinceFirstMs).padStart(5)} ms  ${part ? `${part}  ` : ''}${row.kind.padEnd(13)} ${sentenceOf(row)}`,
    ),
  balance: ({ accountId, history, balances }) => {
    say('');
    say(`ledger of ${accountId}`);
    for (const e of history) {
      const sides = [e.counterparty, `wallet:${accountId}:available`];
      const [from, to] = e.amount < 0 ? sides.reverse() : sides;
      say(`  ${e.slot.padEnd(10)} ${from} -> ${to}  ${Math.abs(e.amount)} ${e.currency}`);
    }
    for (const b of balances)
      say(`  balance    available ${b.available}, frozen ${b.frozen} ${b.currency} (minor units)`);
  },
  transfer: ({ number, from, to, amount, currency }) => {
    say('');
    say('transfer in the books of the simulated Alibaba Cloud');
    say(`  ${number}  ${from} -> ${to}  ${amount} ${currency}`);
  },
});

export type Get = <T>(path: string, init?: RequestInit) => Promise<T>;
type BalanceRow = {
  accountId: string;
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
  const shown = new Set<string>();
  for (;;) {
    const { status } = await get<{ status: string }>(`/v1/recharges/${id}`);
    const { data } = await get<{ data: Happened[] }>(`/v1/recharges/${id}/timeline`);
    const isOver =
      ['succeeded', 'failed', 'canceled'].includes(status) || performance.now() - startedAtMs > LIFE_LIMIT_MS;
    for (const row of unshown(data, shown, isOver))
      happened(row, Date.parse(row.at) - Date.parse(data[0]!.at));
    if (isOver) return status;
    await sleep(50);
  }
}

/**
 * The rows that can no longer change and were not shown yet. They are known by their content and not by their number,
 * because a row that is stored late stands at its own time, before rows that were shown.
 */
export function unshown<Row extends Happened>(
  rows: readonly Row[],
  shown: Set<string>,
  isOver: boolean,
): Row[] {
  return (isOver ? rows : settledPart(rows)).filter((row) => {
    const content = JSON.stringify(row);
    return !shown.has(content) && shown.add(content);
  });
}

/**
 * The rows that can no longer change. A call or an event is a row at the time of its beginning. Until it has ended, its
 * row can change, so this row and all later rows are held back.
 */
function settledPart<Row extends Happened>(rows: readonly Row[]): readonly Row[] {
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
