import type pg from 'pg';
import { announced, type LoadScenario } from '../load/load.js';
import { allOrders, owedWebhooks, type WitnessedOrder } from './witness.js';

/**
 * What still keeps a fleet from being at rest: unfinished recharges that are not meant to stay so, events that are not
 * processed, news that the provider has not told yet. Meant to stay: what the provider never settles, and what waits
 * for a person.
 */
export async function restless(
  sandboxUrl: string,
  db: pg.Client,
  spokenFor: readonly string[],
): Promise<string[]> {
  const orders = await allOrders(sandboxUrl);
  const neverSettled = orders.filter(
    ({ scenario, status }) => scenario === 'never_settles' && status === 'pending',
  );
  const unfinished = await db.query<{ transaction_id: string; state: string }>(
    `select transaction_id, state from report.recharges r
      where state not in ('SUCCEEDED', 'FAILED', 'CANCELED')
        and not (state = 'PENDING_CONFIRMATION' and transaction_id = any($1::uuid[]))
        and not exists (select from report.cases c where c.transaction_id = r.transaction_id and c.closed_at is null)`,
    [neverSettled.map(({ reference }) => reference)],
  );
  const unprocessed = await db.query<{ event_id: string }>(
    "select event_id from report.webhooks where processed_at is null and verdict is distinct from 'unread'",
  );
  const owed = await owedWebhooks(sandboxUrl);
  return [
    ...unfinished.rows.map(({ transaction_id, state }) => `${transaction_id} is ${state}`),
    ...unprocessed.rows.map(({ event_id }) => `event ${event_id} is not processed`),
    ...(owed > 0 ? [`the provider owes ${owed} webhooks`] : []),
    ...(await untold(orders, db, spokenFor)),
  ];
}

/** Orders of which the provider has still something to say. */
async function untold(
  orders: readonly WitnessedOrder[],
  db: pg.Client,
  spokenFor: readonly string[],
): Promise<string[]> {
  const { rows } = await db.query<{ transaction_id: string; heard: number }>(
    'select transaction_id, count(*)::int as heard from report.webhooks where transaction_id is not null group by 1',
  );
  const heard = new Map(rows.map((row) => [row.transaction_id, row.heard]));
  return orders
    .filter(({ reference }) => !spokenFor.includes(reference))
    .filter(
      ({ reference, scenario }) => (heard.get(reference) ?? 0) < announced[scenario as LoadScenario].length,
    )
    .map(({ reference, scenario }) => `${reference} (${scenario}) has a webhook to come`);
}
