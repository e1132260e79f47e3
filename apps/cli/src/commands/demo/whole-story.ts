import { setTimeout as sleep } from 'node:timers/promises';
import { type Env, newId, readConfig } from '@replenish/runtime';
import {
  ask,
  type DemoRecharge,
  type Get,
  type Happened,
  LIFE_LIMIT_MS,
  type Show,
  showBalance,
  type Transfer,
  unshown,
} from './story.js';

const ACCOUNT = 'acct-demo-cloud';
const CLOUD_ACCOUNT = 'fa-demo';
const WHOLE: DemoRecharge = {
  accountId: ACCOUNT,
  amount: 4999,
  currency: 'CNY',
  paymentMethod: 'credit_card',
};

/** One transaction of the whole recharge, and the rows of its timeline that were shown. */
type Part = Readonly<{ name: 'collect' | 'deliver'; id: string; shown: Set<string> }>;
const partOf = (name: Part['name'], id: string): Part => ({ name, id, shown: new Set() });
type DemoTransaction = Readonly<{
  transactionId: string;
  state: string;
  status: string;
  metadata: { demo?: string };
}>;
type DemoRow = Happened & Readonly<{ transactionId?: string }>;

// If one of these keys is set, the provider is the real one or its test system, and not the simulator.
const ownKeys = ['STRIPE_SECRET_KEY', 'ALIBABA_CLOUD_ACCESS_KEY_ID'] as const;

/** @throws where Stripe or Alibaba Cloud is not the simulated one, because the demo moves money at both */
export function refuseRealMoney(env: Env): void {
  if (readConfig(env).NODE_ENV === 'production' || ownKeys.some((name) => env[name]))
    throw new Error(
      'the demo of a whole recharge needs the simulated Stripe and the simulated Alibaba Cloud',
    );
}

/**
 * Pays by card for an account whose payee is a simulated cloud account. Shows the payment and its delivery, the
 * balance, and the transfer in the simulator's books. Returns the last status of the whole recharge.
 */
export async function showWhole(get: Get, show: Show, sandboxUrl: string): Promise<string> {
  await openCloudAccount(sandboxUrl);
  await get(`/v1/accounts/${ACCOUNT}/payee`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ provider: 'alibaba_cloud', to: CLOUD_ACCOUNT, currency: WHOLE.currency }),
  });
  const demo = newId();
  const collect = partOf('collect', await ask(get, show, WHOLE, { demo }));
  const { status, parts } = await follow(collect, demo, get, show.happened);
  const ids = parts.map(({ id }) => id);
  await showBalance(get, show, ACCOUNT, ids);
  for (const transfer of await transfersOf(sandboxUrl, ids)) show.transfer(transfer);
  return status;
}

/** Shows new rows of both timelines until the delivery is final, or the payment has failed. */
async function follow(
  collect: Part,
  demo: string,
  get: Get,
  happened: Show['happened'],
): Promise<{ status: string; parts: readonly Part[] }> {
  const startedAtMs = performance.now();
  const parts = [collect];
  let firstAtMs: number | null = null;
  for (;;) {
    const found = await transactionsOf(demo, get);
    const delivery = found.find(({ transactionId }) => transactionId !== collect.id);
    if (delivery && parts.length === 1) parts.push(partOf('deliver', delivery.transactionId));
    const last = found.find(({ transactionId }) => transactionId === parts.at(-1)!.id);
    const isOver = isLast(last, delivery !== undefined) || performance.now() - startedAtMs > LIFE_LIMIT_MS;
    const rows = (await Promise.all(parts.map((part) => newRows(part, isOver, get)))).flat();
    for (const { part, row } of rows.sort((a, b) => Date.parse(a.row.at) - Date.parse(b.row.at))) {
      firstAtMs ??= Date.parse(row.at);
      happened({ ...row, transactionId: part.id }, Date.parse(row.at) - firstAtMs, part.name);
    }
    if (isOver) return { status: last?.status ?? 'unknown', parts };
    await sleep(50);
  }
}

/** A payment that succeeded is followed by its delivery, so it is not the last. */
const isLast = (found: DemoTransaction | undefined, isDelivery: boolean): boolean =>
  ['FAILED', 'CANCELED', ...(isDelivery ? ['SUCCEEDED'] : [])].includes(found?.state ?? '');

/** The payment and its delivery. A delivery has the metadata of its payment. */
async function transactionsOf(demo: string, get: Get): Promise<readonly DemoTransaction[]> {
  const { data } = await get<{ data: DemoTransaction[] }>(`/v1/recharges?accountId=${ACCOUNT}&limit=20`);
  return data.filter(({ metadata }) => metadata.demo === demo);
}

/** The rows of one transaction that can no longer change and were not shown yet. */
async function newRows(part: Part, isOver: boolean, get: Get): Promise<{ part: Part; row: DemoRow }[]> {
  const { data } = await get<{ data: DemoRow[] }>(`/v1/recharges/${part.id}/timeline`);
  // The rows of a payment name their transaction only once its delivery exists. The name is left out here, so that a
  // row stays equal and is shown once.
  const own = data.flatMap(({ transactionId = part.id, ...row }) => (transactionId === part.id ? [row] : []));
  return unshown(own, part.shown, isOver).map((row) => ({ part, row }));
}

/** Creates the cloud account. If it exists already, it keeps the money that was transferred to it. */
async function openCloudAccount(sandboxUrl: string): Promise<void> {
  await control(sandboxUrl, 'fund-accounts', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ id: CLOUD_ACCOUNT, currency: WHOLE.currency, cash: 0 }),
  });
}

async function transfersOf(sandboxUrl: string, ids: readonly string[]): Promise<readonly Transfer[]> {
  const found = await Promise.all(
    ids.map((id) => control<{ transfers: Transfer[] }>(sandboxUrl, `transfers?remark=${id}`)),
  );
  return found.flatMap(({ transfers }) => transfers);
}

async function control<T>(sandboxUrl: string, path: string, init: RequestInit = {}): Promise<T> {
  const response = await fetch(`${sandboxUrl}/_control/alibaba/${path}`, init);
  if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${path}`);
  return response.json() as never;
}
