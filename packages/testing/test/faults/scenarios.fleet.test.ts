import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type pg from 'pg';
import { checkBooks } from '../../src/books/books.js';
import { contactsOf, type WitnessedCall } from '../../src/books/witness.js';
import { type Fleet, startFleet } from '../../src/fleet/fleet.js';
import { processesNaming } from '../../src/fleet/machine.js';
import { sandboxOrders } from '../../src/fleet/producer.js';
import { ask, endStates, type LoadScenario, scenarios } from '../../src/load/load.js';
import type { LoadCall, Producer } from '../../src/load/producer.js';
import { until } from '../../src/until.js';
import { openStage, type Stage, TEST_LIMIT_MS } from '../support/setting.js';

jest.setTimeout(TEST_LIMIT_MS);

let stage: Stage;
let fleet: Fleet;
let producer: Producer;
let db: pg.Client;
const taken = new Map<LoadScenario, string>();

beforeAll(async () => {
  stage = await openStage({ ingress: 2 });
  ({ fleet, producer, db } = stage);
  for (const scenario of scenarios) {
    const call: LoadCall = await producer.send(ask(scenario));
    taken.set(scenario, call.transactionId!);
  }
});

afterAll(() => stage?.close());

const transitionsOf = async (id: string) => {
  const { rows } = await db.query<{ news: string; verdict: string; source: string; to_state: string }>(
    'select news, verdict, source, to_state from report.transitions where transaction_id = $1 order by seq',
    [id],
  );
  return rows;
};

const casesOf = async (id: string): Promise<string[]> => {
  const { rows } = await db.query<{ kind: string }>(
    'select kind from report.cases where transaction_id = $1 order by kind',
    [id],
  );
  return rows.map(({ kind }) => kind);
};

const slotsOf = async (id: string): Promise<string[]> => {
  const { rows } = await db.query<{ line: string }>(
    `select slot || ': ' || debit_account || ' > ' || credit_account || ' ' || amount as line from report.postings
      where transaction_id = $1`,
    [id],
  );
  return rows.map(({ line }) => line);
};

const contactsOfScenario = async (scenario: LoadScenario): Promise<string[]> => {
  const contacts: readonly WitnessedCall[] = await contactsOf(fleet.sandboxUrl, taken.get(scenario)!);
  return contacts.map(({ operation, answer }) => `${operation} ${answer}`);
};

test('the fleet comes to rest, and the invariants hold', async () => {
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

const succeeding = scenarios.filter(
  (scenario) => (endStates[scenario] as readonly string[])[0] === 'SUCCEEDED',
);

test.each(succeeding)('%s succeeds with one order, one charge, one posting', async (scenario) => {
  const id = taken.get(scenario)!;
  expect(await producer.read(id)).toMatchObject({ state: 'SUCCEEDED', status: 'succeeded', failure: null });
  expect(await sandboxOrders(fleet, id)).toMatchObject([
    { amount: 4_999, status: 'settled', charges: [{ amount: 4_999 }] },
  ]);
  expect(await slotsOf(id)).toEqual(['collect: provider:sandbox:clearing > wallet:acct-1:available 4999']);
  expect(await casesOf(id)).toEqual([]);
});

test('declined fails, with an order and no charge', async () => {
  const id = taken.get('declined')!;
  expect(await producer.read(id)).toMatchObject({ state: 'FAILED', failure: { code: 'PAYMENT_FAILED' } });
  expect(await sandboxOrders(fleet, id)).toMatchObject([{ status: 'declined', charges: [] }]);
  expect(await slotsOf(id)).toEqual([]);
});

test('rejected fails, without an order', async () => {
  const id = taken.get('rejected')!;
  expect(await producer.read(id)).toMatchObject({ state: 'FAILED', failure: { code: 'PROVIDER_ERROR' } });
  expect(await sandboxOrders(fleet, id)).toEqual([]);
  expect(await slotsOf(id)).toEqual([]);
});

test('wrong_amount stays in progress, with a case, the money in suspense and the wallet untouched', async () => {
  const id = taken.get('wrong_amount')!;
  expect(await producer.read(id)).toMatchObject({ status: 'in_progress' });
  expect(await casesOf(id)).toEqual(['wrong_amount']);
  expect(await slotsOf(id)).toEqual(['suspense: provider:sandbox:clearing > suspense:sandbox 5000']);
});

test('success_after_failure stays failed, with a case and the money in suspense', async () => {
  const id = taken.get('success_after_failure')!;
  expect(await producer.read(id)).toMatchObject({ state: 'FAILED', failure: { code: 'PAYMENT_FAILED' } });
  expect(await casesOf(id)).toEqual(['late_money']);
  expect(await slotsOf(id)).toEqual(['suspense: provider:sandbox:clearing > suspense:sandbox 4999']);
});

test('never_settles waits for the provider, and has a due time', async () => {
  const id = taken.get('never_settles')!;
  expect(await producer.read(id)).toMatchObject({ state: 'PENDING_CONFIRMATION' });
  const { rows } = await db.query('select due_at from report.recharges where transaction_id = $1', [id]);
  expect(rows[0].due_at).toBeInstanceOf(Date);
});

test('after silence the second call is a query', async () => {
  expect(await contactsOfScenario('timeout_after_charge')).toEqual(['submit none', 'query 200']);
  expect(await contactsOfScenario('server_error_after_charge')).toEqual(['submit 500', 'query 200']);
  expect((await contactsOfScenario('timeout_before_charge')).slice(0, 3)).toEqual([
    'submit none',
    'query 200',
    'submit 201',
  ]);
});

test('an order that was certainly not executed is sent again at once', async () => {
  expect((await contactsOfScenario('server_error_then_ok')).slice(0, 3)).toEqual([
    'submit 503',
    'submit 503',
    'submit 201',
  ]);
  expect((await contactsOfScenario('rate_limited_then_ok')).slice(0, 3)).toEqual([
    'submit 429',
    'submit 429',
    'submit 201',
  ]);
});

test('each ingress is ready', async () => {
  const ready = await Promise.all(fleet.ingressUrls.map((url) => fetch(`${url}/readyz`)));
  expect(ready.map(({ status }) => status)).toEqual([200, 200]);
});

test('an armed crash point kills once, the process is restarted, and the money arrives once', async () => {
  const before = fleet.process('submission-worker').pid;
  fleet.arm('submission.after-call');
  const { transactionId } = await producer.send(ask('ok'));
  await fleet.crashed('submission.after-call');
  await producer.reaches(transactionId!, 'SUCCEEDED');
  // The webhook may arrive before the fleet notices the dead process.
  const isAnother = () => fleet.process('submission-worker').starts > 1;
  await until(isAnother, { limitMs: 20_000 }, 'another submission worker');
  await fleet.ready();
  expect(fleet.process('submission-worker').pid).not.toBe(before);
  expect(fleet.process('submission-worker').starts).toBe(2);
  expect(await sandboxOrders(fleet, transactionId!)).toMatchObject([{ amount: 4_999, status: 'settled' }]);
});

test('without keepAlive a dead process is not restarted', async () => {
  fleet.keepAlive(false);
  fleet.process('webhook-worker').kill();
  await until(() => !fleet.process('webhook-worker').isAlive, { limitMs: 30_000 }, 'a dead webhook worker');
  expect(() => fleet.process('webhook-worker').pid).toThrow('webhook-worker 0 is not alive');
  fleet.keepAlive(true);
  fleet.process('webhook-worker').start();
  await fleet.ready();
  expect(fleet.logs('webhook-worker')).toContain('ready');
});

test('a stopped fleet leaves no process', async () => {
  const other = await startFleet({ processes: ['sandbox'] });
  expect(processesNaming(other.dir)).toHaveLength(1);
  await other.stop();
  expect(processesNaming(other.dir)).toEqual([]);
});

test('a webhook that is faster than the answer decides, and the answer is filed as stale', async () => {
  // The first ingress receives the webhooks. While it is frozen, the submission worker can be stopped between the
  // provider's order and its answer.
  fleet.process('ingress', 0).kill('SIGSTOP');
  const { transactionId } = await producer.send(ask('webhook_first'), 1);
  const id = transactionId!;
  await until(async () => (await sandboxOrders(fleet, id)).length === 1, { limitMs: 10_000 }, 'the order');
  fleet.process('submission-worker').kill('SIGSTOP');
  fleet.process('ingress', 0).kill('SIGCONT');
  await producer.reaches(id, 'SUCCEEDED');
  fleet.process('submission-worker').kill('SIGCONT');
  const filed = await until(
    async () => {
      const transitions = await transitionsOf(id);
      return transitions.length > 2 && transitions;
    },
    { limitMs: 10_000 },
    'the answer on file',
  );
  expect(filed.map(({ source, verdict, to_state }) => `${source} ${verdict} ${to_state}`)).toEqual([
    'submission moved SUBMITTED',
    'webhook moved SUCCEEDED',
    'submission stale SUCCEEDED',
  ]);
  expect(await checkBooks(fleet, { calls: producer.calls })).toEqual([]);
});

test('changed books are found', async () => {
  const ids = [...taken.values()];
  const [ok, noWebhook, , , afterCharge] = ids;
  await db.query(`
    set session_replication_role = replica;
    update ledger_entry set amount_minor = amount_minor + 1 where transaction_id = '${ok}';
    update recharge_transaction set state = 'FAILED' where id = '${noWebhook}';
    update recharge_transaction set amount_minor = amount_minor + 1 where id = '${afterCharge}';
    delete from provider_call where transaction_id = '${ok}';
    update ledger_account set balance_minor = -1 where name = 'wallet:acct-1:available';
    delete from webhook_event where transaction_id = '${ok}';
    set session_replication_role = origin`);
  const eventIds = ['msg_never_kept'];
  const findings = await checkBooks(fleet, { calls: producer.calls, eventIds, restLimitMs: 1_000 });
  const invariants = new Set(findings.map((finding) => finding.split(':')[0]));
  expect([...invariants].sort()).toEqual([
    'INV10',
    'INV14',
    'INV3',
    'INV4',
    'INV5',
    'INV6',
    'INV7',
    'INV8',
    'INV9',
    'verify',
  ]);
});
