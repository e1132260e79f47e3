import type pg from 'pg';
import type { OrderAtSandbox } from '../fleet/producer.js';

export type WitnessedOrder = OrderAtSandbox & Readonly<{ scenario: string; createdAt: string }>;

/** One call to the provider, from the provider's log. */
export type WitnessedCall = Readonly<{ at: string; operation: 'submit' | 'query'; answer: string }>;

export type WitnessedRecharge = Readonly<{
  transaction_id: string;
  idempotency_key: string;
  client_id: string;
  account_id: string;
  kind: string;
  provider: string;
  state: string;
  amount: string;
  currency: string;
  due_at: Date | null;
}>;

export type Gathered = Readonly<{
  recharges: ReadonlyMap<string, WitnessedRecharge>;
  /** The time of the first submit of each transaction, from our records. */
  intents: ReadonlyMap<string, Date>;
  /** The kinds of the cases of each transaction, open or closed. */
  cases: ReadonlyMap<string, readonly string[]>;
  orders: ReadonlyMap<string, WitnessedOrder>;
  contacts: ReadonlyMap<string, readonly WitnessedCall[]>;
  events: readonly Readonly<{ event_id: string; processed: boolean }>[];
}>;

/** Reads our records and the provider's records. */
export async function gather(sandboxUrl: string, db: pg.Client): Promise<Gathered> {
  const { rows: recharges } = await db.query<WitnessedRecharge>('select * from report.recharges');
  const { rows: intents } = await db.query<{ id: string; at: Date }>(
    `select transaction_id as id, min(started_at) as at from report.provider_calls where operation = 'submit' group by 1`,
  );
  const { rows: cases } = await db.query<{ id: string; kinds: string[] }>(
    'select transaction_id as id, array_agg(kind) as kinds from report.cases where transaction_id is not null group by 1',
  );
  const { rows: events } = await db.query<Gathered['events'][number]>(
    'select event_id, processed_at is not null as processed from report.webhooks',
  );
  const orders = await allOrders(sandboxUrl);
  return {
    recharges: new Map(recharges.map((row) => [row.transaction_id, row])),
    intents: new Map(intents.map(({ id, at }) => [id, at])),
    cases: new Map(cases.map(({ id, kinds }) => [id, kinds])),
    orders: new Map(orders.map((order) => [order.reference, order])),
    contacts: await allContacts(
      sandboxUrl,
      recharges.map((row) => row.transaction_id),
    ),
    events,
  };
}

export async function allOrders(sandboxUrl: string): Promise<WitnessedOrder[]> {
  const orders: WitnessedOrder[] = [];
  for (let cursor = ''; ; ) {
    const page = await control<{ orders: WitnessedOrder[]; nextCursor: string | null }>(
      sandboxUrl,
      `orders?limit=1000${cursor && `&cursor=${cursor}`}`,
    );
    orders.push(...page.orders);
    if (!page.nextCursor) return orders;
    cursor = page.nextCursor;
  }
}

export async function contactsOf(sandboxUrl: string, reference: string): Promise<readonly WitnessedCall[]> {
  return (await control<{ calls: WitnessedCall[] }>(sandboxUrl, `calls?reference=${reference}`)).calls;
}

async function allContacts(sandboxUrl: string, references: readonly string[]) {
  const contacts = new Map<string, readonly WitnessedCall[]>();
  for (const reference of references) contacts.set(reference, await contactsOf(sandboxUrl, reference));
  return contacts;
}

/** The number of webhooks that the provider has still to send. */
export async function owedWebhooks(sandboxUrl: string): Promise<number> {
  const { webhooks } = await control<{ webhooks: { pending: number } }>(sandboxUrl, 'stats');
  return webhooks.pending;
}

async function control<T>(sandboxUrl: string, path: string): Promise<T> {
  const response = await fetch(`${sandboxUrl}/_control/${path}`);
  if (!response.ok) throw new Error(`the sandbox answered ${response.status} to ${path}`);
  return (await response.json()) as T;
}
