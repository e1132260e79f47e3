import { finding } from './database.js';
import type { Gathered, WitnessedRecharge } from './witness.js';

/** One movement of money at a simulated provider. `to`: the cloud account that got it. */
export type MovedMoney = Readonly<{ amount: number; currency: string; to?: string }>;

type Intent = { currency: string; charges: { amount: number }[] };
type Trade = { trade_status: string; amount: number; currency: string; refunds: unknown[] };

const PAID = ['TRADE_SUCCESS', 'TRADE_FINISHED'];

/** How each simulator is asked what it moved for one recharge. */
const readers: Readonly<Record<string, (url: string, id: string) => Promise<MovedMoney[]>>> = {
  stripe: async (url, id) => {
    const path = `stripe/payment_intents?reference=${id}`;
    const { payment_intents } = await control<{ payment_intents: Intent[] }>(url, path);
    return payment_intents.flatMap(({ currency, charges }) =>
      charges.map(({ amount }) => ({ amount, currency })),
    );
  },
  alipay: async (url, id) => {
    const { trades } = await control<{ trades: Trade[] }>(url, `alipay/trades?reference=${id}`);
    // A trade that was refunded completely is closed. It was paid all the same.
    return trades
      .filter(({ trade_status, refunds }) => PAID.includes(trade_status) || refunds.length > 0)
      .map(({ amount, currency }) => ({ amount, currency }));
  },
  alibaba_cloud: async (url, id) => {
    const { transfers } = await control<{ transfers: Required<MovedMoney>[] }>(
      url,
      `alibaba/transfers?remark=${id}`,
    );
    const { changes } = await control<{ changes: (MovedMoney & { owner: string })[] }>(
      url,
      `alibaba/quota-changes?out_biz_id=${id}`,
    );
    return [
      ...transfers.map(({ amount, currency, to }) => ({ amount, currency, to })),
      ...changes.map(({ amount, currency, owner }) => ({ amount, currency, to: owner })),
    ];
  },
};

/** The kinds whose money the simulators list by their own id. Refunds are listed inside the payment of their collect. */
const witnessed: readonly string[] = ['collect', 'deliver', 'recall'];

/** The money that a simulated provider moved for one recharge, from the simulator's own books. */
export async function moneyMovedAt(
  sandboxUrl: string,
  provider: string,
  transactionId: string,
): Promise<readonly MovedMoney[]> {
  const reader = readers[provider];
  if (!reader) throw new Error(`${provider} is no simulated provider with books of its own`);
  return reader(sandboxUrl, transactionId);
}

/** INV1, INV14: compares the books of the simulated providers with our recharges. */
export async function differencesFromSimulators(
  sandboxUrl: string,
  { recharges, cases }: Pick<Gathered, 'recharges' | 'cases'>,
): Promise<string[]> {
  const several: string[] = [];
  const differing: string[] = [];
  for (const row of recharges.values()) {
    if (!(row.provider in readers) || !witnessed.includes(row.kind)) continue;
    const moved = await moneyMovedAt(sandboxUrl, row.provider, row.transaction_id);
    const told = `${row.transaction_id} is ${row.state}, ${row.provider} moved ${JSON.stringify(moved)}`;
    if (moved.length > 1) several.push(told);
    if (!cases.has(row.transaction_id) && !agrees(row, moved)) differing.push(told);
  }
  return [
    ...finding('INV1: a simulator moved money at most once', several),
    ...finding('INV14: we and the simulators agree, or a case exists', differing),
  ];
}

function agrees({ state, amount, currency }: WitnessedRecharge, moved: readonly MovedMoney[]): boolean {
  if (state === 'SUCCEEDED')
    return moved.length === 1 && String(moved[0]!.amount) === amount && moved[0]!.currency === currency;
  if (state === 'FAILED' || state === 'CANCELED') return moved.length === 0;
  return true;
}

async function control<T>(sandboxUrl: string, path: string): Promise<T> {
  const response = await fetch(`${sandboxUrl}/_control/${path}`);
  if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${path}`);
  return (await response.json()) as T;
}
