import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort, until } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { openDomain, StoreUnavailable } from '../../src/index.js';
import { type Books, newRecharge, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterEach(() =>
  books.rows(
    `drop function if exists fail_a_while, refuse_one, wait_a_while cascade; drop sequence if exists tries`,
  ),
);
afterAll(() => books.close());

/**
 * Makes the first `failures` statements on `table` fail with `sqlState`. A sequence counts the failures, since no
 * rollback resets it.
 */
const trouble = (table: string, event: string, sqlState: string, failures: number) =>
  books.rows(`
    create sequence tries;
    create function fail_a_while() returns trigger language plpgsql as $$
    begin
      if nextval('tries') <= ${failures} then raise exception 'as tested' using errcode = '${sqlState}'; end if;
      return null;
    end $$;
    create trigger trouble after ${event} on ${table} for each statement execute function fail_a_while()`);

const tries = async () => {
  const [row] = await books.rows<{ n: number }>('select last_value::int as n from tries');
  return row!.n;
};

/** A proxy to the database that can stop forwarding without closing a connection. */
async function openSilence(databaseUrl: string) {
  const to = new URL(databaseUrl);
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(Number(to.port), to.hostname);
    sockets.push(near, far);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: url.href,
    begin: () => {
      for (const socket of sockets) socket.unpipe().pause();
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const client = { name: 'c', scopes: [], accounts: ['*'], env: 'test' as const };
const paths = [
  {
    path: 'a request',
    table: 'recharge_request',
    event: 'insert',
    work: async () => (await books.domain.createRecharge(newRecharge())).ok,
  },
  {
    path: 'news',
    table: 'transition',
    event: 'insert',
    work: async () => {
      const id = await recharged(books.domain, {});
      return (await books.domain.applyNews(reportOf(id, 'submit'))).claim !== null;
    },
  },
  {
    path: 'a model of Prisma',
    table: 'client',
    event: 'insert',
    work: () => books.domain.clients.create(client),
  },
];

describe.each(['40001', '40P01'])('%s', (sqlState) => {
  test.each(paths)('three times in $path is tried again and succeeds', async ({ table, event, work }) => {
    await trouble(table, event, sqlState, 3);
    expect(await work()).toBeTruthy();
    expect(await tries()).toBe(4);
    expect(await books.domain.verify()).toEqual([]);
  });

  test.each(paths)('each time in $path ends as unavailable', async ({ table, event, work }) => {
    await trouble(table, event, sqlState, 1_000);
    await expect(work()).rejects.toThrow(StoreUnavailable);
    expect(await tries()).toBe(6);
  });
});

/** Makes the database refuse each transition of one recharge with this news. A retry meets the same error. */
const refuse = (id: string, news: string) =>
  books.rows(`
    create function refuse_one() returns trigger language plpgsql as $$
    begin raise exception 'as tested'; end $$;
    create trigger refuse_one before insert on transition for each row
      when (new.transaction_id = '${id}' and new.news = '${news}') execute function refuse_one()`);

test('a report that the database refuses does not fail the others of its batch', async () => {
  const ids = await Promise.all(times(20, () => recharged(books.domain, {})));
  await refuse(ids[7]!, 'submit');
  const answers = await Promise.all(ids.map((id) => books.domain.applyNews(reportOf(id, 'submit'))));
  expect(answers.map(({ verdict }) => verdict)).toEqual(times(20, (n) => (n === 7 ? 'refused' : 'moved')));
  expect(await books.domain.reads.recharge(ids[7]!)).toMatchObject({ state: 'CREATED' });
});

test('a worker gets its claim even if a later report of the same batch fails', async () => {
  const id = await recharged(books.domain, {});
  await refuse(id, 'accepted');
  const [claim, refused] = await Promise.allSettled([
    books.domain.applyNews(reportOf(id, 'submit')),
    books.domain.applyNews(reportOf(id, 'accepted')),
  ]);
  expect(claim).toMatchObject({ status: 'fulfilled', value: { claim: { attempt: 1 } } });
  expect(refused).toMatchObject({ value: { verdict: 'refused', claim: null } });
});

test('a report is recorded even if the cut of its text halves an emoji', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  const message = `${'x'.repeat(499)}\u{1f4b8}`;
  const failure = { code: 'PROVIDER_ERROR', message };
  expect(
    await books.domain.applyNews(reportOf(id, 'declined', { reason: `${message}\0`, failure })),
  ).toMatchObject({ verdict: 'moved', state: 'FAILED' });
  expect(await books.domain.reads.recharge(id)).toMatchObject({ failureMessage: `${'x'.repeat(499)}\ufffd` });
});

test('a text that is no id does not fail the other calls of its batch', async () => {
  const id = await recharged(books.domain, {});
  const [recharge, nothing, event] = await Promise.all([
    books.domain.reads.outstanding(id),
    books.domain.reads.outstanding('no uuid'),
    books.domain.inbox.read('no uuid'),
  ]);
  expect([recharge?.id, nothing, event]).toEqual([id, null, null]);
});

test('an invalid statement is a fault and no outage', async () => {
  const failure = await books.domain
    .applyNews(reportOf('no uuid', 'settled'))
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Error);
  expect(failure).not.toBeInstanceOf(StoreUnavailable);
});

test('a connection that is cut in the middle of a statement is an outage, and the next call works again', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  await books.rows(`create function wait_a_while() returns trigger language plpgsql as $$
    begin perform pg_sleep(60); return null; end $$`);
  await books.rows(
    'create trigger slow after insert on transition for each statement execute function wait_a_while()',
  );
  const cut = expect(books.domain.applyNews(reportOf(id, 'settled'))).rejects.toThrow(StoreUnavailable);
  await until(
    () =>
      books
        .rows(`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep'`)
        .then((rows) => rows.length > 0),
    { limitMs: 10_000 },
    'the statement is under way',
  );
  await cut;
  await books.rows('drop function wait_a_while cascade');
  expect(await books.domain.applyNews(reportOf(id, 'settled'))).toMatchObject({ verdict: 'moved' });
});

test('a database that stops answering is an outage after twelve seconds', async () => {
  const cutOff = await openSilence(books.url);
  const domain = books.open({ databaseUrl: cutOff.url });
  await domain.ping();
  cutOff.begin();
  await expect(domain.ping()).rejects.toThrow(StoreUnavailable);
  cutOff.close();
}, 30_000);

test('the loss of all idle connections is reported, and the next call works again', async () => {
  const lost: Error[] = [];
  const domain = books.open({ onConnectionLost: (error) => lost.push(error) });
  await Promise.all(times(4, () => domain.ping()));
  await books.rows(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()`);
  await until(() => lost.length > 0, { limitMs: 10_000 }, 'the loss is told');
  await until(() => domain.ping().then(() => true), { limitMs: 10_000 }, 'the database answers again');
  expect(await domain.createRecharge(newRecharge())).toMatchObject({ ok: true, replayed: false });
});

test('without a database every call is unavailable', async () => {
  const url = new URL(books.url);
  url.port = String(await freePort());
  const domain = openDomain({ databaseUrl: url.href, reconcileAfterMs: 1_000, providerTimeoutMs: 1_000 });
  const id = uuidv7();
  const event = { id, provider: 'sandbox', eventId: 'e', rawBody: Buffer.from('{}'), correlationId: 'c' };
  const questions: Promise<unknown>[] = [
    domain.ping(),
    domain.createRecharge(newRecharge()),
    domain.createRecharge(newRecharge({ kind: 'deliver' })),
    domain.applyNews(reportOf(id, 'settled')),
    domain.takeDue(10),
    domain.inbox.keep(event),
    domain.inbox.read(id),
    domain.reads.recharge(id),
    domain.balances.of('a'),
    domain.clients.find('rk_test_1'),
    domain.clients.create(client),
    domain.verify(),
  ];
  const answers = await Promise.allSettled(questions);
  for (const answer of answers) expect(answer).toMatchObject({ reason: { name: 'StoreUnavailable' } });
  await domain.close();
});
