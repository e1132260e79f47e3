import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, openBooks, times } from '../support/books.js';
import { BUFFERS_MAX, buffersOf } from '../support/buffers.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const kept = { webhookBodiesDays: 30, securityEventsDays: 30, looksDays: 30, callbacksDays: 30 };

async function keptEvents(count: number, ageDays: number, isProcessed = true): Promise<string[]> {
  const events = times(count, (n) => ({
    id: uuidv7({ msecs: Date.now() - ageDays * 86_400_000 + n }),
    provider: 'sandbox',
    eventId: uuidv7(),
    rawBody: Buffer.from('body'),
    correlationId: 'c',
  }));
  await Promise.all(events.map((event) => books.domain.inbox.keep(event)));
  await books.rows(
    `update webhook_event set stored_at = now() - $2 * interval '1 day',
      processed_at = case when $3 then now() end, due_at = case when $3 then null else now() end where id = any($1)`,
    [events.map(({ id }) => id), ageDays, isProcessed],
  );
  return events.map(({ id }) => id);
}

const emptied = async (): Promise<string[]> =>
  (await books.rows<{ id: string }>(`select id from webhook_event where raw_body = '' order by id`)).map(
    ({ id }) => id,
  );

test('the bodies of old processed events are emptied once, and the rest of their rows stays', async () => {
  const old = await keptEvents(250, 31);
  await keptEvents(5, 40, false);
  await keptEvents(5, 29);
  expect((await books.domain.prune(kept)).webhookBodies).toBe(250);
  expect(await emptied()).toEqual(old.toSorted());
  expect((await books.domain.prune(kept)).webhookBodies).toBe(0);
  const [{ event_id: eventId }] = (await books.rows(`select event_id from webhook_event where id = $1`, [
    old[0],
  ])) as [{ event_id: string }];
  const again = { id: uuidv7(), provider: 'sandbox', eventId, correlationId: 'c' };
  expect(await books.domain.inbox.keep({ ...again, rawBody: Buffer.from('body') })).toEqual({
    id: old[0],
    verdict: 'repeated',
  });
  const later = await keptEvents(3, 20);
  await books.rows(`update webhook_event set stored_at = now() - interval '31 days' where id = any($1)`, [
    later,
  ]);
  expect((await books.domain.prune({ ...kept, webhookBodiesDays: 25 })).webhookBodies).toBe(8);
});

test('old security events are deleted', async () => {
  await books.rows(
    `insert into security_event (rule, count, at)
      select 'amount', 1, now() - case when n <= 900 then interval '31 days' else interval '29 days' end
      from generate_series(1, 1000) n`,
  );
  expect((await books.domain.prune(kept)).securityEvents).toBe(900);
  expect(await books.rows(`select count(*)::int as left from security_event`)).toEqual([{ left: 100 }]);
  expect((await books.domain.prune(kept)).securityEvents).toBe(0);
});

test('the keys of verbs are forgotten after 100 days', async () => {
  await books.rows(`
    insert into answered_key (client_id, idempotency_key, operation, fingerprint, begun_at)
    select gen_random_uuid(), n::text, 'pauseRule', 'f', now() - case when n <= 500 then 101 else 99 end * interval '1 day'
    from generate_series(1, 1000) n`);
  const touched = await buffersOf(books.url, async () => {
    expect((await books.domain.prune(kept)).answeredKeys).toBe(500);
  });
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
  expect(await books.rows('select count(*)::int as left from answered_key')).toEqual([{ left: 500 }]);
});

/** What rules, callbacks and notices leave behind in `days` days: a row of each kind per hour. */
const leftBehind = (days: number) =>
  books.rows(`
    with
    hours as (select n, now() - n * interval '1 hour' as at from generate_series(1, 24 * ${days}) n),
    looks as (
      insert into rule_decision (rule_id, seq, at, decided, because, amount_minor, transaction_id, numbers)
      select gen_random_uuid(), n, at, case when n % 24 = 0 then 'recharge' else 'nothing' end, 'ENOUGH', 1,
        case when n % 24 = 0 then gen_random_uuid() end, '{}'
      from hours),
    readings as (
      insert into account_reading (provider, provider_account, account, currency, at, balance_minor)
      select 'p', 'main', 'a', 'CNY', at, 1 from hours),
    events as (
      insert into callback_event (id, client_id, subject, type, version, snapshot, at)
      select overlay(uuid_from(at)::text placing lpad(to_hex(n), 12, '0') from 25)::uuid,
        gen_random_uuid(), gen_random_uuid(), 'case.opened', 1, '{}', at
      from hours
      returning id, seq, client_id, subject, at),
    channels as (
      insert into notice_channel (name, is_open) values ('slack', true) on conflict do nothing),
    deliveries as (
      insert into callback_delivery (
        id, event_id, seq, client_id, lane, subject, type, url, status, due_at, created_at)
      select id, id, seq, client_id, client_id, subject, 'case.opened', 'https://x.example/', 'delivered', null, at
      from events)
    select 1`);

const leftNow = async () =>
  (
    await books.rows(`
      select
        (select count(*)::int from rule_decision where transaction_id is null) as looks,
        (select count(*)::int from rule_decision where transaction_id is not null) as recharges,
        (select count(*)::int from account_reading) as readings,
        (select count(*)::int from callback_delivery) as deliveries,
        (select count(*)::int from callback_event) as events,
        (select count(*)::int from notice) as notices`)
  )[0];

test('old looks, balances, callbacks and notices are deleted; recharges of rules and what is pending stay', async () => {
  await leftBehind(40);
  await books.rows(`
    insert into notice (id, channel, kind, subject, content, at, status, due_at)
    select uuid_from(at), 'slack', 'case_opened', 's', '{}', at, status, case when status = 'pending' then now() end
    from (values (now() - interval '63 days', 'sent'), (now() - interval '64 days', 'pending'),
      (now() - interval '61 days', 'sent')) told (at, status)`);
  const pending = (at: string) =>
    books.rows(`
      update callback_delivery set status = 'pending', due_at = now() - interval '1 s'
      where id in (select id from callback_delivery order by id ${at} limit 5)`);
  await pending('');
  const days = { ...kept, looksDays: 31, callbacksDays: 35 };
  expect(await books.domain.prune(days)).toMatchObject({
    ...{ looks: 9 * 23, readings: 9 * 24 + 1, callbacks: 5 * 24 + 1 - 5, callbackEvents: 5 * 24 + 1 - 5 },
    notices: 1,
  });
  expect(await leftNow()).toEqual({
    ...{ looks: 31 * 23, recharges: 40, readings: 31 * 24 - 1 },
    ...{ deliveries: 35 * 24 - 1 + 5, events: 35 * 24 - 1 + 5, notices: 2 },
  });
  expect(await books.domain.prune(days)).toMatchObject({ looks: 0, readings: 0, callbacks: 0, notices: 0 });
});

test('several processes that prune at once delete each row once', async () => {
  await books.rows(
    `insert into nonce (key_id, nonce, seen_at)
      select 'k', n::text, now() - interval '1 hour' from generate_series(1, 3000) n`,
  );
  const pruned = await Promise.all(
    [books.domain, books.open(), books.open()].map((domain) => domain.prune(kept)),
  );
  expect(pruned.reduce((sum, { nonces }) => sum + nonces, 0)).toBe(3_000);
});

test('a batch touches few buffers, for any number of old rows', async () => {
  await books.rows(
    `insert into nonce (key_id, nonce, seen_at)
      select 'key-' || n % 100, md5(n::text), now() - interval '1 hour' from generate_series(1, 20000) n`,
  );
  await keptEvents(300, 50);
  await leftBehind(400);
  await books.rows(`delete from chore_position`);
  await books.rows('vacuum analyze');
  const touched = await buffersOf(books.url, () => books.domain.prune(kept));
  expect(touched.filter(({ buffers }) => buffers > BUFFERS_MAX)).toEqual([]);
});
