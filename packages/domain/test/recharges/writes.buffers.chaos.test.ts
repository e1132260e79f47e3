import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Claim, NewRecharge, RechargeReport } from '../../src/index.js';
import { type Books, CLIENT, newRecharge, reportOf, times } from '../support/books.js';
import { BUFFERS_MAX, buffersOfWrites } from '../support/buffers.js';
import { addManyCases, BUSY_ACCOUNT, openManyRows } from '../support/many-rows.js';

const RECHARGES = 100_000;
const BACKLOG = 20_000;
/**
 * The number of recharges that are created together. No batch of the intake, of the trail or of any other statement is
 * larger.
 */
const CREATED_TOGETHER = 32;
const TOGETHER = 64;
const CALLS_TOGETHER = 150;

let books: Books;
beforeAll(async () => {
  books = await openManyRows(RECHARGES);
  // None of them holds money, so a question for those that do must not read them.
  await addManyCases(books, 50_000);
  await books.rows(
    `insert into recharge_transaction (id, client_id, account_id, kind, state, amount_minor, currency, payment_method,
        provider, next_step, due_at, created_at)
      select gen_random_uuid(), $1, 'acct-' || n, 'collect', 'CREATED', 100, 'USD', 'sandbox', 'sandbox', 'submit',
        now() - n * interval '1 ms', now() - n * interval '10 ms'
      from generate_series(1, ${BACKLOG}) n`,
    [CLIENT],
  );
  await books.rows(
    `insert into webhook_event (id, provider, event_id, raw_body, body_hash, correlation_id, due_at, stored_at)
      select gen_random_uuid(), 'sandbox', 'evt-' || n, 'body', 'hash', 'c', now() - n * interval '1 ms', now()
      from generate_series(1, ${BACKLOG}) n`,
  );
  await books.rows('vacuum analyze');
}, 300_000);
afterAll(() => books.close());

// This table has a row per open breaker, so reading it whole is the cheapest way.
const SMALL = 'provider_breaker';

async function expectFew(work: () => Promise<unknown>, max = BUFFERS_MAX): Promise<void> {
  const touched = await buffersOfWrites(books.url, work);
  expect(touched.length).toBeGreaterThan(0);
  const large = ({ scanned }: { scanned: readonly string[] }) => scanned.filter((table) => table !== SMALL);
  expect(touched.filter((one) => one.buffers > max || large(one).length > 0)).toEqual([]);
}

describe('a create', () => {
  const create = (asks: readonly NewRecharge[]) =>
    Promise.all(asks.map((ask) => books.domain.createRecharge(ask)));

  test('of different accounts', async () => {
    const asks = times(CREATED_TOGETHER, (n) => newRecharge({ clientId: CLIENT, accountId: `acct-${n}` }));
    await expectFew(() => create(asks));
    expect((await create(asks)).every((created) => created.ok && created.replayed)).toBe(true);
  });

  test('that is repeated', async () => {
    const asks = times(CREATED_TOGETHER, (n) => newRecharge({ clientId: CLIENT, accountId: `acct-${n}` }));
    await create(asks);
    await expectFew(() => create(asks));
  });

  test('that a wallet pays for', async () => {
    const paid = {
      clientId: CLIENT,
      kind: 'deliver',
      paymentMethod: 'balance',
      accountId: BUSY_ACCOUNT,
    } as const;
    const asks = times(CREATED_TOGETHER, () => newRecharge(paid));
    await expectFew(() => create(asks));
    expect(await create(asks)).toContainEqual(expect.objectContaining({ ok: true }));
  });

  test('below a ceiling of the day', async () => {
    const ceiling = { requestMinor: null, dayMinor: 1_000_000n };
    const ask = { ...newRecharge({ clientId: CLIENT }), ceiling };
    await expectFew(() => books.domain.createRecharge(ask), 350);
  });
});

describe('a report', () => {
  let claims: Claim[];
  beforeEach(async () => {
    const asks = times(TOGETHER, (n) => newRecharge({ clientId: CLIENT, accountId: `acct-${n}` }));
    await Promise.all(asks.map((ask) => books.domain.createRecharge(ask)));
    const claim = async ({ id }: NewRecharge) =>
      (await books.domain.applyNews(reportOf(id, 'submit'))).claim!;
    claims = await Promise.all(asks.map(claim));
  });

  const tell = (of: (claim: Claim) => Partial<RechargeReport> & Pick<RechargeReport, 'news'>) =>
    expectFew(() =>
      Promise.all(
        claims.map((claim) => {
          const { news, ...more } = of(claim);
          return books.domain.applyNews(reportOf(claim.transactionId, news, more));
        }),
      ),
    );
  const answer = ({ callId, attempt, seen }: Claim): Partial<RechargeReport> => {
    const [startedAt, endedAt] = [new Date(), new Date()];
    const call = { id: callId, operation: 'submit', attempt, startedAt, endedAt } as const;
    return { attempt, seen, calls: [{ ...call, outcome: 'x', providerCode: null, httpStatus: 200 }] };
  };

  test('of a claim', async () => {
    const asks = times(TOGETHER, (n) => newRecharge({ clientId: CLIENT, accountId: `acct-${n}` }));
    await Promise.all(asks.map((ask) => books.domain.createRecharge(ask)));
    await expectFew(() => Promise.all(asks.map(({ id }) => books.domain.applyNews(reportOf(id, 'submit')))));
  });

  test('of an accepted order', () =>
    tell((claim) => ({ ...answer(claim), news: 'accepted', providerOrderId: `order-${claim.callId}` })));

  test('of a settled order, in the answer', () =>
    tell((claim) => ({ ...answer(claim), news: 'settled', providerOrderId: `order-${claim.callId}` })));

  test('of a settled order that nobody has seen before', () =>
    tell(() => ({ news: 'settled', source: 'webhook' })));

  test('of a failure', () =>
    tell(() => ({
      news: 'declined',
      source: 'webhook',
      failure: { code: 'PAYMENT_FAILED', message: 'no' },
    })));

  test('of an order that is not ours, which opens a case', () =>
    tell(() => ({ news: 'settled', source: 'webhook', money: { amountMinor: 7n, currency: 'USD' } })));

  test('of a stored event', async () => {
    const events = times(TOGETHER, () => anEvent());
    await Promise.all(events.map((event) => books.domain.inbox.keep(event)));
    const eventIds = events.map(({ id }) => id);
    await tell(() => ({ news: 'settled', source: 'webhook', eventId: eventIds.pop()! }));
    const [left] = await books.rows(
      `select count(*)::int as n from webhook_event where id = any($1) and processed_at is null`,
      [events.map(({ id }) => id)],
    );
    expect(left).toEqual({ n: 0 });
  });
});

const anEvent = () => ({
  id: uuidv7(),
  provider: 'sandbox',
  eventId: uuidv7(),
  rawBody: Buffer.from('body'),
  correlationId: 'c',
});

describe('the inbox', () => {
  test('keeps events, new and repeated, and reads them', async () => {
    const events = times(TOGETHER, anEvent);
    const keep = () => Promise.all(events.map((event) => books.domain.inbox.keep(event)));
    await expectFew(keep, 1_500);
    await expectFew(keep);
    await expectFew(() => Promise.all(events.map(({ id }) => books.domain.inbox.read(id))));
  });

  test('finds the transaction of an order', async () => {
    const rows = await books.rows<{ order: string }>(
      `select provider_order_id as order from recharge_transaction where provider_order_id is not null order by id limit ${TOGETHER}`,
    );
    const match = ({ order }: { order: string }) =>
      books.domain.inbox.match({ provider: 'sandbox', reference: null, providerOrderId: order });
    await expectFew(() => Promise.all(rows.map(match)));
  });

  test('files events that are no news', async () => {
    const [unmatched, ignored, unread] = [anEvent(), anEvent(), anEvent()];
    for (const event of [unmatched, ignored, unread]) await books.domain.inbox.keep(event);
    await expectFew(() => books.domain.inbox.fileUnmatched(unmatched, {}), 100);
    await expectFew(() => books.domain.inbox.fileIgnored(ignored), 100);
    const doubt = { transactionId: null, detail: {}, mayWait: false, tryForMs: 60_000 };
    await expectFew(() => books.domain.inbox.noteUnread(unread, doubt), 100);
    await expectFew(() => books.domain.inbox.noteUnprocessable(unread, {}, null), 100);
  });
});

describe('what runs on a timer, behind a backlog', () => {
  const lanes = [
    { what: 'recharge', provider: 'sandbox', nextStep: 'submit' },
    { what: 'recharge', provider: 'sandbox', nextStep: 'ask' },
    { what: 'event' },
  ] as const;

  test.each(lanes)('a sweep of one lane: %j', async (lane) => {
    const found = new Set<string>();
    await expectFew(async () => {
      for (const { id } of await books.domain.takeDue(500, lane)) found.add(id);
    });
    expect(found.size).toBeGreaterThanOrEqual('nextStep' in lane && lane.nextStep === 'ask' ? 200 : 500);
  });

  test('a sweep of all lanes, and rows that are put back', async () => {
    await expectFew(async () => books.domain.putBack(await books.domain.takeDue(500)));
  });

  test('the recharges of providers that are served by nobody', async () => {
    await expectFew(() => books.domain.dueElsewhere(['sandbox']));
  });

  test('the end of an outage', async () => {
    await books.rows(`update recharge_transaction set due_at = now() + interval '1 hour' + (random() * interval '1 minute')
      where next_step = 'submit' and due_at is not null`);
    // Every statement above was tried and rolled back twice, which leaves dead rows. No installation has those, so they
    // are removed first.
    await books.rows('vacuum analyze recharge_transaction');
    let pulled = 0;
    await expectFew(async () => {
      pulled = await books.domain.pullForward({ provider: 'sandbox', providerAccount: 'main' });
    });
    expect(pulled).toBeGreaterThan(BACKLOG / 2);
  }, 120_000);

  test('the deletion of old data', async () => {
    await books.rows(`insert into api_key (id, client_id, secret_hash, scopes, accounts)
      select 'rk_buffers', '${CLIENT}', ''::bytea, '{}', '{}' on conflict do nothing`);
    await books.rows(
      `insert into nonce (key_id, nonce, seen_at) select 'rk_buffers', n::text, now() - interval '1 hour' from generate_series(1, 2000) n`,
    );
    await books.rows(
      `insert into security_event (rule, count, at) select 'new_address', 1, now() - interval '99 days' from generate_series(1, 2000) n`,
    );
    await books.rows(
      `update webhook_event set processed_at = now(), due_at = null, stored_at = now() - interval '99 days'
        where id in (select id from webhook_event order by id limit 2000)`,
    );
    await expectFew(() =>
      books.domain.prune({ webhookBodiesDays: 30, securityEventsDays: 30, looksDays: 30, callbacksDays: 30 }),
    );
  });
});

test('the trail of calls', async () => {
  const call = () => ({
    ...{ id: uuidv7(), at: new Date(), ip: '192.0.2.1', clientId: CLIENT, keyId: 'rk_x', method: 'POST' },
    ...{ route: '/v1/recharges', params: {}, accountId: 'acct-1', status: 403, code: 'UNAUTHORIZED' },
    ...{ durationMs: 1, correlationId: uuidv7() },
  });
  await expectFew(() => books.domain.audit.write(times(CALLS_TOGETHER, call)));
});
