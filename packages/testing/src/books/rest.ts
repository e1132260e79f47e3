import type pg from 'pg';
import { announced, type LoadScenario } from '../load/load.js';
import { allOrders, owedWebhooks, type WitnessedOrder } from './witness.js';

/**
 * The reasons for which a fleet is not at rest: unfinished recharges, unprocessed events, and webhooks that the
 * provider has not sent yet. A recharge may stay unfinished if the provider never settles it, or if it waits for a
 * person.
 */
export async function reasonsNotAtRest(
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
    ...(await missingWebhooks(orders, db, spokenFor)),
  ];
}

/** The orders for which the provider has not sent all webhooks. */
async function missingWebhooks(
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
