import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { news, type State, states, step } from '../../src/core/recharge.js';
import { type Books, CLIENT, deposit, openBooks, recharged, reportOf } from '../support/books.js';

let books: Books;
let sessions: pg.Pool;
const inState = {} as Record<State, string>;
let delivered: string;
let returned: string;
let ordered: string;
beforeAll(async () => {
  books = await openBooks();
  sessions = new pg.Pool({ connectionString: books.url, max: 2 });
  const { domain } = books;
  await deposit(domain, 'acct-1', 1_000n);
  inState.CREATED = await recharged(domain, { idempotencyKey: 'taken' });
  inState.SUBMITTED = await recharged(domain, {}, 'submit');
  inState.PENDING_CONFIRMATION = await recharged(domain, {}, 'submit', 'accepted');
  inState.SUCCEEDED = await recharged(domain, {}, 'submit', 'settled');
  inState.FAILED = await recharged(domain, {}, 'submit', 'declined');
  inState.CANCELED = await recharged(domain, {}, 'withdraw');
  delivered = await recharged(domain, { kind: 'deliver', amountMinor: 5n }, 'submit', 'settled');
  returned = await recharged(domain, { kind: 'deliver', amountMinor: 5n }, 'submit', 'declined');
  ordered = await recharged(domain, {}, 'submit');
  await domain.applyNews(reportOf(ordered, 'accepted', { providerOrderId: 'sbx_1' }));
  // Late money puts a row into each report view.
  await recharged(domain, {}, 'submit', 'declined', 'settled');
  const event = { provider: 'sandbox', eventId: 'taken', rawBody: Buffer.from('{}'), correlationId: 'c' };
  await domain.inbox.keep({ id: CLIENT, ...event });
});
afterAll(() => sessions.end().then(books.close));

/** Runs `sql` and rolls it back. Returns the constraint that refused it, or `done`. */
async function answer(sql: string, values: unknown[] = []): Promise<string> {
  const client = await sessions.connect();
  try {
    await client.query('begin');
    await client.query(sql, values);
    return 'done';
  } catch (error) {
    const { code, constraint } = error as { code?: string; constraint?: string };
    return `${code} ${constraint}`;
  } finally {
    await client.query('rollback');
    client.release();
  }
}

const CHECK = '23514';
const UNIQUE = '23505';
const pairs = states.flatMap((from) => states.map((to) => ({ from, to })));
const isMove = (from: State, to: State) => from !== to && news.some((heard) => step(from, heard).to === to);

describe('the grid and its copy in the database', () => {
  test('agree on all 36 pairs of states', async () => {
    const rows = await books.rows(
      'select a as "from", b as "to", is_legal_move(a, b) as legal from unnest($1::text[]) a, unnest($1::text[]) b',
      [[...states]],
    );
    const legal = (rows as { from: State; to: State; legal: boolean }[]).filter((row) => row.legal);
    expect(rows).toHaveLength(36);
    expect(legal.map(({ from, to }) => `${from} ${to}`).toSorted()).toEqual(
      pairs.flatMap(({ from, to }) => (isMove(from, to) ? `${from} ${to}` : [])).toSorted(),
    );
  });

  test.each(states)('let a recharge leave %s only as the grid does', async (from) => {
    for (const to of states.filter((one) => one !== from)) {
      const isOver = ['SUCCEEDED', 'FAILED', 'CANCELED'].includes(to);
      const heard = await answer(
        `update recharge_transaction set state = $2, due_at = ${isOver ? 'null' : 'now()'},
           next_step = ${isOver ? 'null' : "'ask'"} where id = $1`,
        [inState[from], to],
      );
      expect(`${to} ${heard}`).toBe(`${to} ${isMove(from, to) ? adopted(from) : `${CHECK} ${LEGAL}`}`);
    }
  });
});

/** Out of FAILED and CANCELED only a person with evidence can go, and only to SUCCEEDED. */
const adopted = (from: State) => (/FAILED|CANCELED/.test(from) ? `${CHECK} ${ADOPTED}` : 'done');
const ADOPTED = 'recharge_transaction_adopted_with_evidence';
const LEGAL = 'recharge_transaction_legal_move';
const insertRecharge = (over: Record<string, string> = {}): string => {
  const row: Record<string, string> = {
    id: 'gen_random_uuid()',
    client_id: `'${CLIENT}'`,
    account_id: `'a'`,
    kind: `'collect'`,
    state: `'CREATED'`,
    amount_minor: '1',
    currency: `'USD'`,
    payment_method: `'p'`,
    provider: `'p'`,
    next_step: `'submit'`,
    due_at: 'now()',
    ...over,
  };
  return `insert into recharge_transaction (${Object.keys(row)}) values (${Object.values(row)})`;
};

describe('a recharge', () => {
  test('with usual values is accepted', async () => {
    expect(await answer(insertRecharge())).toBe('done');
  });

  test.each([
    ['inserted as submitted', { state: `'SUBMITTED'` }, 'begins_created'],
    ['inserted as succeeded', { state: `'SUCCEEDED'`, due_at: 'null', next_step: 'null' }, 'begins_created'],
    ['of the amount zero', { amount_minor: '0' }, 'amount_positive'],
    ['of a negative amount', { amount_minor: '-1' }, 'amount_positive'],
    ['of another kind', { kind: `'gift'` }, 'kind'],
    ['with another next step', { next_step: `'wait'` }, 'next_step'],
    ['with another confirmation', { confirmation: `'maybe'` }, 'confirmation'],
    ['unfinished without a due time', { due_at: 'null' }, 'never_forgotten'],
    ['unfinished without a next step', { next_step: 'null' }, 'never_forgotten'],
  ])('%s is refused', async (_, over, constraint) => {
    expect(await answer(insertRecharge(over))).toBe(`${CHECK} recharge_transaction_${constraint}`);
  });

  test.each([
    ...['id', 'client_id', 'collected_by', 'refund_of'].map((name) => [name, 'gen_random_uuid()']),
    ...['account_id', 'kind', 'currency', 'payment_method', 'provider'].map((name) => [name, `'other'`]),
    ...['order_reference', 'provider_account', 'funding', 'lane'].map((name) => [name, `'other'`]),
    ['amount_minor', 'amount_minor + 1'],
    ['payee', `'{}'`],
  ])('cannot change its %s', async (name, value) => {
    const heard = await answer(`update recharge_transaction set ${name} = ${value} where id = $1`, [
      inState.SUBMITTED,
    ]);
    expect(heard).toBe(`${CHECK} recharge_transaction_same_terms`);
  });

  test.each([
    ['attempt', 'attempt = 0'],
    ['transition', 'seq = seq - 1'],
    ['version', 'version = version - 1'],
    ['order', `provider_order_id = null`],
    ['order for another', `provider_order_id = 'sbx_2'`],
  ])('cannot decrease or lose its %s', async (_, change) => {
    const heard = await answer(`update recharge_transaction set ${change} where id = $1`, [ordered]);
    expect(heard).toBe(`${CHECK} recharge_transaction_only_forward`);
  });

  test.each(['CREATED', 'SUBMITTED', 'PENDING_CONFIRMATION'] as const)(
    'in %s must have a due time',
    async (state) => {
      const heard = await answer('update recharge_transaction set due_at = null where id = $1', [
        inState[state],
      ]);
      expect(heard).toBe(`${CHECK} recharge_transaction_never_forgotten`);
    },
  );

  test('in a final state has no due time', async () => {
    const heard = await answer('update recharge_transaction set due_at = now() where id = $1', [
      inState.FAILED,
    ]);
    expect(heard).toBe(`${CHECK} recharge_transaction_never_forgotten`);
  });
});

describe('a second settlement', () => {
  const settle = (id: string, slot: string) =>
    answer('insert into ledger_journal (id, transaction_id, slot) values (gen_random_uuid(), $1, $2)', [
      id,
      slot,
    ]);

  test('in the same slot is refused', async () => {
    const again = [
      settle(inState.SUCCEEDED, 'collect'),
      settle(delivered, 'settle'),
      settle(delivered, 'hold'),
    ];
    for (const heard of await Promise.all(again))
      expect(heard).toBe(`${UNIQUE} ledger_journal_transaction_id_slot_key`);
  });

  test('in another slot is refused', async () => {
    const others = [
      settle(inState.SUCCEEDED, 'settle'),
      settle(inState.SUCCEEDED, 'reverse'),
      settle(delivered, 'reverse'),
      settle(delivered, 'collect'),
      settle(returned, 'settle'),
    ];
    for (const heard of await Promise.all(others))
      expect(heard).toBe(`${UNIQUE} ledger_journal_one_settlement`);
  });

  test('does not concern suspense, and an unknown slot is refused', async () => {
    expect(await settle(delivered, 'suspense')).toBe('done');
    expect(await settle(delivered, 'refund')).toBe(`${CHECK} ledger_journal_slot`);
  });
});

describe.each([
  'recharge_request',
  'transition',
  'ledger_journal',
  'ledger_entry',
  'ledger_account',
  'recharge_transaction',
  'provider_call',
  'webhook_event',
  'reconciliation_case',
])('history in %s', (table) => {
  const changes = [`delete from ${table}`, `truncate ${table} cascade`];
  const columns: Record<string, string> = {
    recharge_request: 'fingerprint',
    transition: 'reason',
    ledger_journal: 'slot',
    ledger_entry: 'currency',
  };
  const column = columns[table];
  if (column) changes.push(`update ${table} set ${column} = ${column}`);

  test.each(changes)('refuses: %s', async (change) => {
    expect(await answer(change)).toBe(`${CHECK} ${table}_append_only`);
  });
});

test.each([
  `delete from report.cases`,
  `update report.webhooks set verdict = 'stale'`,
  `update report.provider_calls set outcome = 'accepted'`,
  `delete from report.transitions`,
  `update report.recharges set state = 'SUCCEEDED'`,
])('a report is only read: %s', async (change) => {
  expect(await answer(change)).toMatch(new RegExp(`^${CHECK} \\w+_append_only$`));
});

describe('the ledger', () => {
  const enter = (debit: string, credit: string, amount: number) =>
    answer(
      `insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor, currency)
       select id, transaction_id, $1, $2, $3, 'USD' from ledger_journal limit 1`,
      [debit, credit, amount],
    );

  test('accepts only amounts above zero between two accounts', async () => {
    expect(await enter('a', 'b', 1)).toBe('done');
    for (const amount of [0, -1])
      expect(await enter('a', 'b', amount)).toBe(`${CHECK} ledger_entry_amount_positive`);
    expect(await enter('a', 'a', 1)).toBe(`${CHECK} ledger_entry_two_sides`);
  });

  test('accepts no entry without its journal', async () => {
    const stray = `insert into ledger_entry (journal_id, transaction_id, debit_account, credit_account, amount_minor,
      currency) values (gen_random_uuid(), gen_random_uuid(), 'a', 'b', 1, 'USD')`;
    expect(await answer(stray)).toBe('23503 ledger_entry_journal_id_fkey');
  });

  test('lets no wallet fall below zero, by insert or update', async () => {
    const overdraft = `${CHECK} ledger_account_no_overdraft`;
    const wallet = `name = 'wallet:acct-1:available'`;
    expect(await answer(`update ledger_account set balance_minor = -1 where ${wallet}`)).toBe(overdraft);
    expect(await answer(`update ledger_account set balance_minor = 0 where ${wallet}`)).toBe('done');
    const insert = `insert into ledger_account values ('wallet:acct-1:available', 'USD', -10000)
      on conflict (name, currency) do update set balance_minor = ledger_account.balance_minor - 10000`;
    expect(await answer(insert)).toBe(overdraft);
    expect(await answer(`insert into ledger_account values ('wallet:new:available', 'USD', -1)`)).toBe(
      overdraft,
    );
  });
});

test('a client has an idempotency key once', async () => {
  const twin = `insert into recharge_request (transaction_id, client_id, idempotency_key, fingerprint, metadata,
    correlation_id) values (gen_random_uuid(), $1, $2, 'f', '{}', 'c')`;
  expect(await answer(twin, [CLIENT, 'taken'])).toBe(
    `${UNIQUE} recharge_request_client_id_idempotency_key_key`,
  );
  expect(await answer(twin, [CLIENT, 'free'])).toBe('done');
});

test('a provider has an event id once, and the event is due until it is processed', async () => {
  const insert = (eventId: string, processedAt: string, dueAt: string) =>
    answer(`insert into webhook_event (id, provider, event_id, raw_body, body_hash, correlation_id, processed_at, due_at)
      values (gen_random_uuid(), 'sandbox', '${eventId}', '', '', 'c', ${processedAt}, ${dueAt})`);
  expect(await insert('taken', 'null', 'now()')).toBe(`${UNIQUE} webhook_event_provider_event_id_key`);
  expect(await insert('free', 'null', 'now()')).toBe('done');
  for (const time of ['null', 'now()']) {
    expect(await insert('free', time, time)).toBe(`${CHECK} webhook_event_never_forgotten`);
  }
});

test('a transition that is no move keeps its state', async () => {
  const file = (verdict: string, seq: number) =>
    answer(`insert into transition (transaction_id, seq, news, verdict, from_state, to_state, source, reason)
      values (gen_random_uuid(), ${seq}, 'settled', '${verdict}', 'SUBMITTED', 'SUCCEEDED', 'poll', 'r')`);
  expect(await file('moved', 1)).toBe('done');
  for (const verdict of ['stale', 'conflict'])
    expect(await file(verdict, 1)).toBe(`${CHECK} transition_moves`);
  expect(await file('moved', 0)).toBe(`${CHECK} transition_seq`);
});
