import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import type { Fleet } from '../../src/fleet/fleet.js';
import { sandboxOrders } from '../../src/fleet/producer.js';
import { type EventStatus, eventBody, postEvent } from '../../src/fleet/webhook.js';
import { ask, type LoadScenario } from '../../src/load/load.js';
import type { Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;
let authorization: string;
const eventIds: string[] = [];
const spokenFor: string[] = [];

beforeAll(async () => {
  stage = await openStage();
  ({ fleet, producer, db } = stage);
  ({ authorization } = producer);
});

afterAll(() => stage?.close());

type Case = Readonly<{
  caseId: string;
  kind: string;
  verbs: readonly string[];
  resolution: { verb: string | null } | null;
}>;

async function call(
  path: string,
  body?: object,
  key = randomUUID(),
): Promise<{ status: number; body: unknown; replayed: boolean }> {
  const headers = { authorization, 'content-type': 'application/json', 'idempotency-key': key };
  const sent = body
    ? { method: 'POST', headers, body: JSON.stringify(body) }
    : { headers: { authorization } };
  const response = await fetch(`${fleet.ingressUrl}${path}`, sent);
  const replayed = response.headers.get('idempotent-replayed') === 'true';
  return { status: response.status, body: await response.json(), replayed };
}

const openCases = async (filter: string): Promise<Case[]> => {
  const { body } = await call(`/v1/cases?status=open&${filter}`);
  return (body as { data: Case[] }).data;
};

/** Waits for an open case of a kind, and returns it. */
const caseOf = (kind: string, filter = ''): Promise<Case> =>
  until(
    async () => (await openCases(`kind=${kind}${filter}`))[0],
    { limitMs: 60_000 },
    `a case ${kind}${filter}`,
  );

async function tell(body: string, eventId = `evt-${randomUUID()}`): Promise<string> {
  const posted = async () => (await postEvent(fleet, eventId, body)) === 200;
  await until(posted, { limitMs: 30_000 }, `${eventId} taken`);
  eventIds.push(eventId);
  return eventId;
}

/** A recharge for which the test plays the provider once it is in the state. */
async function made(scenario: LoadScenario, state: string) {
  const asked = ask(scenario, { accountId: `acct-${randomUUID()}` });
  const id = (await producer.send(asked)).transactionId!;
  spokenFor.push(id);
  await producer.reaches(id, state);
  const [order = ghost(id)] = await sandboxOrders(fleet, id);
  return { id, order: { ...order, accountId: asked.accountId } };
}

const ghost = (reference: string) => ({
  id: `sbx_${randomUUID()}`,
  reference,
  amount: 4_999,
  currency: 'USD',
});

type Order = Parameters<typeof eventBody>[0];

/** An order in this state about which the provider then says something else. */
const then =
  (
    scenario: LoadScenario,
    state: string,
    status: EventStatus,
    over: (order: Order) => Partial<Order> = () => ({}),
  ) =>
  async (): Promise<string> => {
    const { id, order } = await made(scenario, state);
    await tell(eventBody({ ...order, ...over(order) }, status));
    return `&transactionId=${id}`;
  };

async function whileStopped<T>(
  name: 'submission-worker' | 'reconciliation-worker',
  work: () => Promise<T>,
): Promise<T> {
  fleet.process(name).kill('SIGSTOP');
  try {
    return await work();
  } finally {
    fleet.process(name).kill('SIGCONT');
  }
}

/** The first submit is lost, an event says that the order is there, and the first query says that it is not. */
const absentOrder = () =>
  whileStopped('reconciliation-worker', async () => {
    const { id, order } = await made('timeout_before_charge', 'PENDING_CONFIRMATION');
    const eventId = await tell(eventBody(order, 'pending'));
    const done = async () =>
      (
        await db.query('select from report.webhooks where event_id = $1 and processed_at is not null', [
          eventId,
        ])
      ).rowCount;
    await until(done, { limitMs: 30_000 }, `${eventId} processed`);
    return `&transactionId=${id}`;
  });

/** The provider carries the order out in silence. Events say that it was declined, and then that it was settled. */
const lateMoney = () =>
  whileStopped('reconciliation-worker', async () => {
    const { id, order } = await made('timeout_after_charge', 'PENDING_CONFIRMATION');
    await tell(eventBody(order, 'declined'));
    await producer.reaches(id, 'FAILED');
    await tell(eventBody(order, 'settled'));
    return `&transactionId=${id}`;
  });

const unsentOrder = () =>
  whileStopped('submission-worker', async () => {
    const id = (await producer.send(ask('never_settles'))).transactionId!;
    spokenFor.push(id);
    await tell(eventBody({ ...ghost(id), accountId: 'acct-1' }, 'pending'));
    const filter = `&transactionId=${id}`;
    await caseOf('unsent_order', filter);
    return filter;
  });

async function eventWith(...bodies: readonly string[]): Promise<string> {
  const eventId = `evt-${randomUUID()}`;
  for (const body of bodies) await tell(body, eventId);
  return '';
}

/** An event that cannot be read. It stays due, so that a newer release can read it. */
async function unreadEvent(): Promise<string> {
  const body = '{"type":"order.settled","data":{"amount":"much"}}';
  expect(await postEvent(fleet, `evt-${randomUUID()}`, body)).toBe(200);
  return '';
}

/** A recharge that succeeds for the provider while its wallet is as full as a wallet can be. */
async function fullWallet(): Promise<string> {
  const { id, order } = await made('never_settles', 'PENDING_CONFIRMATION');
  await db.query(
    `insert into ledger_account (name, currency, balance_minor, last_entry_at) values ($1, 'USD', 9223372036854775807, now())`,
    [`wallet:${order.accountId}:available`],
  );
  await tell(eventBody(order, 'settled'));
  await caseOf('unprocessable', `&transactionId=${id}`);
  await db.query('update ledger_account set balance_minor = 0 where balance_minor = 9223372036854775807');
  return `&transactionId=${id}`;
}

const healings: (() => Promise<void>)[] = [];

/** A trigger in the database takes a column for one of another type, so the statement of the event cannot work. */
async function brokenDatabase(): Promise<string> {
  const { id, order } = await made('never_settles', 'PENDING_CONFIRMATION');
  const name = `faulty_${id.replaceAll('-', '')}`;
  await db.query(`
    create function call_${name}() returns trigger language plpgsql as $$
      begin
        perform new.amount_minor::uuid;
        return new;
      end $$;
    create trigger ${name} before update on recharge_transaction for each row
      when (new.id = '${id}' and new.state = 'SUCCEEDED') execute function call_${name}()`);
  await tell(eventBody(order, 'settled'));
  healings.push(async () => {
    await db.query(`drop trigger ${name} on recharge_transaction; drop function call_${name}`);
    await producer.reaches(id, 'SUCCEEDED');
  });
  return `&transactionId=${id}`;
}

const more = ({ amount }: Order) => ({ amount: amount + 1 });
const other = () => ({ id: `sbx_${randomUUID()}` });
const elsewhere = () => ({ accountId: 'acct-elsewhere' });

const openings: readonly (readonly [kind: string, verbs: readonly string[], open: () => Promise<string>])[] =
  [
    ['wrong_amount', ['adopt', 'return'], then('never_settles', 'PENDING_CONFIRMATION', 'settled', more)],
    ['wrong_amount', ['fail', 'dismiss'], then('never_settles', 'PENDING_CONFIRMATION', 'pending', more)],
    ['late_money', ['adopt', 'return'], lateMoney],
    ['several_orders', ['adopt', 'return'], then('ok', 'SUCCEEDED', 'settled', other)],
    [
      'other_account',
      ['adopt', 'return'],
      then('never_settles', 'PENDING_CONFIRMATION', 'settled', elsewhere),
    ],
    ['absent_order', ['fail', 'resubmit', 'dismiss'], absentOrder],
    ['unsent_order', ['dismiss'], unsentOrder],
    ['declined_after_success', ['dismiss'], then('ok', 'SUCCEEDED', 'declined')],
    ['cancel_conflict', ['dismiss'], then('ok', 'SUCCEEDED', 'canceled')],
    ['unprocessable', ['dismiss'], fullWallet],
    ['unprocessable_event', ['dismiss'], brokenDatabase],
    [
      'unknown_order',
      ['dismiss'],
      async () => eventWith(eventBody({ ...ghost(randomUUID()), accountId: 'a' }, 'settled')),
    ],
    ['unread_event', ['dismiss'], unreadEvent],
    [
      'event_changed',
      ['dismiss'],
      async () => {
        const { order } = await made('never_settles', 'PENDING_CONFIRMATION');
        return eventWith(eventBody(order, 'pending'), eventBody({ ...order, ...more(order) }, 'pending'));
      },
    ],
  ];

const uses = openings.flatMap(([kind, verbs, open]) => verbs.map((verb) => ({ kind, verb, verbs, open })));

const closedBy = async (caseId: string): Promise<string | null | undefined> =>
  ((await call(`/v1/cases/${caseId}`)).body as Case).resolution?.verb;

/** The refund of a `return` may be refused by the provider, which opens the case again. Then its money is adopted. */
async function settleReturn(kind: string, filter: string): Promise<void> {
  const isUnderWay = async () =>
    (
      await db.query(
        `select from report.recharges where refund_of = $1 and state not in ('SUCCEEDED', 'FAILED')`,
        [filter.replace('&transactionId=', '')],
      )
    ).rowCount === 0;
  await until(isUnderWay, { limitMs: 60_000 }, `the return of ${kind}`);
  for (const { caseId } of await openCases(`kind=${kind}${filter}`)) {
    const reason = 'the provider does not pay it back';
    expect(
      (await call(`/v1/cases/${caseId}/resolutions`, { verb: 'adopt', reason, evidence: { kind } })).status,
    ).toBe(200);
  }
}

test.each(uses)('$kind is settled by $verb, once', async ({ kind, verb, verbs, open }) => {
  const filter = await open();
  const { caseId, ...found } = await caseOf(kind, filter);
  expect(found.verbs).toEqual(verbs);
  const path = `/v1/cases/${caseId}/resolutions`;
  const body = { verb, reason: 'as tested', evidence: { test: kind } };
  const key = randomUUID();
  const answers = await Promise.all([call(path, body, key), call(path, body, key), call(path, body)]);
  const statuses = answers.map(({ status }) => status).toSorted();
  // Two people use the verb, and one of them also repeats the request with the same key. Only one person's decision
  // counts. The repeated request has the answer of the first, or both are too late.
  expect([
    [200, 200, 409],
    [200, 409, 409],
  ]).toContainEqual(statuses);
  expect(await closedBy(caseId)).toBe(verb);
  expect((await openCases(`kind=${kind}${filter}`)).map((one) => one.caseId)).not.toContain(caseId);
  const { rowCount } = await db.query(
    'select from report.operator_actions where reason = $1 and verb = $2 and action_id in (select id from operator_action where case_id = $3)',
    ['as tested', verb, caseId],
  );
  expect(rowCount).toBe(1);
  if (verb === 'return') await settleReturn(kind, filter);
});

test('an event that the database refused is applied once it can be, also after its case was dismissed', async () => {
  expect(healings).toHaveLength(1);
  for (const heal of healings) await heal();
  expect(await openCases('kind=unprocessable_event')).toEqual([]);
});

test('the books are closed, and nothing is in suspense', async () => {
  expect(
    await checkBooks(fleet, { calls: producer.calls, eventIds, spokenFor, questionsMax: 1_000 }),
  ).toEqual([]);
  const { rows } = await db.query(`
    select coalesce(sum(case when credit_account like 'suspense:%' then amount else -amount end), 0)::int as held
    from report.postings where credit_account like 'suspense:%' or debit_account like 'suspense:%'`);
  expect(rows).toEqual([{ held: 0 }]);
});
