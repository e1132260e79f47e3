import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { eventBody, postEvent } from '../../src/fleet/webhook.js';
import { ask, type LoadRequest } from '../../src/load/load.js';
import type { LoadCall, Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

// The advisory lock that the test holds while a create waits. It may be any number that no other code uses.
const LOCK = 28;

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;

beforeAll(async () => {
  stage = await openStage();
  ({ fleet, producer, db } = stage);
});

afterAll(() => stage?.close());

/** Sends a recharge whose commit waits for the lock. The name of the waiting session shows the recharge's id. */
async function held(asked: LoadRequest): Promise<{ id: string; answer: Promise<LoadCall> }> {
  await db.query(`
    create function hold_birth() returns trigger language plpgsql as $$ begin
      perform set_config('application_name', new.id::text, false);
      -- The function polls for the lock. The store gives up waiting for a lock after a second and a half.
      while not pg_try_advisory_xact_lock(${LOCK}) loop perform pg_sleep(0.02); end loop;
      return new;
    end $$;
    create trigger hold_birth before insert on recharge_transaction for each row execute function hold_birth();
    select pg_advisory_lock(${LOCK})`);
  const answer = producer.send(asked);
  const waiting = async () => {
    const { rows } = await db.query<{ id: string }>(
      `select application_name as id from pg_stat_activity
        where wait_event = 'PgSleep' and application_name ~ '^[0-9a-f-]{36}$'`,
    );
    return rows[0]?.id;
  };
  return { id: await until(waiting, { limitMs: 10_000 }, 'a create that waits'), answer };
}

async function outage(mode: 'slow' | 'none'): Promise<void> {
  const response = await fetch(`${fleet.sandboxUrl}/_control/outage`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ mode }),
  });
  expect(response.status).toBe(200);
}

type Event = Readonly<{
  dueAt: string | null;
  wasSwept: boolean;
  processed: boolean;
  verdict: string | null;
}>;

async function stored(eventId: string): Promise<Event | undefined> {
  const { rows } = await db.query<Event>(
    `select due_at > stored_at + interval '2.1 s' as "wasSwept", processed_at is not null as processed, verdict
      from report.webhooks where event_id = $1`,
    [eventId],
  );
  return rows[0];
}

test('an event before the commit and the submit of its recharge is stored, and applied later', async () => {
  const asked = ask('never_settles');
  const { id, answer } = await held(asked);
  const { amount, currency, accountId } = asked;
  const order = { id: 'sbx_early', reference: id, amount, currency, accountId };
  const eventId = `evt-early-${id}`;
  expect(await postEvent(fleet, eventId, eventBody(order, 'settled'))).toBe(200);
  // The due time of the event moves once the sweeper has taken it. At that time the worker finds no recharge.
  await until(
    async () => (await stored(eventId))?.wasSwept,
    { limitMs: 10_000 },
    'a first look at the event',
  );
  expect(await stored(eventId)).toMatchObject({ processed: false });

  // The event names its own order id, so it must be applied before the provider answers with another id.
  await outage('slow');
  await db.query('select pg_advisory_unlock($1)', [LOCK]);
  expect(await answer).toMatchObject({ status: 202, transactionId: id });
  await producer.reaches(id, 'SUCCEEDED');
  await outage('none');
  expect(await stored(eventId)).toMatchObject({ processed: true, verdict: 'moved' });
  const history = { calls: producer.calls, eventIds: [eventId], spokenFor: [id] };
  expect(await checkBooks(fleet, history)).toEqual([]);
});
