import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDatabase, execute } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { type Domain, openDomain, securityRules } from '../../src/index.js';
import { grantRights, refuseUnfitRole } from '../../src/store/database/rights.js';
import { type Books, deposit, newRecharge, openBooks, recharged, reportOf } from '../support/books.js';

const { TEST_POSTGRES_APP_URL: appServer = '', TEST_POSTGRES_URL: server = '' } = process.env;
const APP_ROLE = new URL(appServer).username;
const asApp = (url: string): string =>
  Object.assign(new URL(appServer), { pathname: new URL(url).pathname }).href;

let books: Books;
let domain: Domain;
let app: pg.Client;
beforeAll(async () => {
  books = await openBooks();
  domain = books.open({ databaseUrl: asApp(books.url) });
  app = new pg.Client(asApp(books.url));
  await app.connect();
  await deposit(books.domain, 'acct-1', 1_000n);
});
afterAll(async () => {
  await app.end();
  await books.close();
});

/** Runs a statement as the role of the processes. Returns its SQLSTATE, or `done`. */
const answer = (sql: string): Promise<string> =>
  app.query(sql).then(
    () => 'done',
    (error: { code: string }) => error.code,
  );

const NO_RIGHT = '42501';
const kept = { webhookBodiesDays: 1, securityEventsDays: 1, looksDays: 1, callbacksDays: 1 };

describe('the role of the processes does all of their work', () => {
  test('it is fit, and recharges succeed and fail under it', async () => {
    await expect(domain.ping()).resolves.toBeUndefined();
    const paid = { accountId: 'acct-1', kind: 'deliver', paymentMethod: 'balance', amountMinor: 5n } as const;
    const settled = await recharged(domain, paid, 'submit', 'accepted', 'settled');
    const declined = await recharged(domain, paid, 'submit', 'declined');
    const late = await recharged(domain, {}, 'submit', 'declined', 'settled');
    const states = [settled, declined, late].map(async (id) => (await domain.reads.recharge(id))?.state);
    expect(await Promise.all(states)).toEqual(['SUCCEEDED', 'FAILED', 'FAILED']);
    expect(await domain.verify()).toEqual([]);
  });

  test('it replays a request, stores an event, and sweeps due rows', async () => {
    const ask = newRecharge();
    await domain.createRecharge(ask);
    expect(await domain.createRecharge({ ...ask, id: uuidv7() })).toMatchObject({ ok: true, replayed: true });
    const event = { provider: 'sandbox', eventId: ask.id, rawBody: Buffer.from('{}'), correlationId: 'c' };
    await domain.inbox.keep({ id: ask.id, ...event });
    await domain.applyNews(reportOf(ask.id, 'submit'));
    await domain.applyNews(reportOf(ask.id, 'settled', { source: 'webhook', eventId: ask.id }));
    const left = await recharged(domain, {});
    await books.rows('update recharge_transaction set due_at = now() where due_at is not null');
    const due = await domain.takeDue(10);
    expect(due.map(({ id }) => id)).toContain(left);
    await domain.putBack(due);
    expect(await domain.dueElsewhere([])).toEqual([{ provider: 'sandbox', count: expect.any(Number) }]);
    await expect(domain.pullForward({ provider: 'sandbox', providerAccount: 'main' })).resolves.toBe(0);
    expect(await domain.verify()).toEqual([]);
  });

  test('it deletes old rows, and makes the partitions of the coming months', async () => {
    await books.rows(
      `insert into nonce (key_id, nonce, seen_at) values ('k', 'n', now() - interval '1 day')`,
    );
    await books.rows(
      `insert into security_event (rule, count, detail, at) values ('velocity', 1, '{}', now() - interval '9 days')`,
    );
    const [last] = await books.rows<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'r'
         and relname ~ '^call_\\d{4}' order by 1 desc limit 1`,
    );
    await books.rows(`drop table audit.${last!.name}`);
    expect(await domain.audit.ensurePartitions()).toBe(1);
    const [made] = await books.rows<{ owner: string }>(
      `select relowner::regrole::text as owner from pg_class where relname = $1`,
      [last!.name],
    );
    expect(made!.owner).not.toBe(APP_ROLE);
    expect(await domain.prune(kept)).toMatchObject({ nonces: 1, securityEvents: 1 });
  });

  test('it makes clients, keys and their locks', async () => {
    const { keyId } = await domain.clients.create({
      name: 'made by the role',
      env: 'test',
      scopes: ['recharges:write'],
      accounts: ['*'],
    });
    const { max } = securityRules.bad_signature;
    await domain.security.report([{ rule: 'bad_signature', keyId, count: max, origin: '10.0.0.7' }]);
    expect((await domain.clients.find(keyId))?.lockedUntil('10.0.0.7')).not.toBeNull();
    expect(await domain.security.findAnomalies()).toEqual([]);
    expect(await domain.security.unlock(keyId)).toBe(true);
    expect(await domain.clients.useNonce({ keyId, nonce: 'n' })).toBe(true);
    expect(await domain.clients.rotate(keyId)).toMatchObject({ keyId });
    expect(await domain.clients.revoke(keyId)).toBe(true);
  });
});

describe('the role of the processes cannot', () => {
  test.each([
    'alter table ledger_entry disable trigger all',
    'alter table recharge_transaction disable trigger recharge_transaction_legal_move',
    'set session_replication_role = replica',
    'update ledger_entry set amount_minor = amount_minor',
    'delete from ledger_entry',
    'truncate ledger_entry',
    'update ledger_journal set slot = slot',
    'update transition set reason = reason',
    'delete from transition',
    'delete from recharge_request',
    'delete from recharge_transaction',
    'delete from webhook_event',
    'delete from audit_call',
    'update audit_call set status = 200',
    'insert into audit.call_default select * from audit_call',
    'truncate nonce',
    'drop table nonce',
    'drop view report.recharges',
    'drop schema report cascade',
    "select drop_audit_partitions('2999-01-01')",
    "select make_audit_partition('2999-01-01', 1)",
    'create table public.mine (n int)',
    'create function public.is_legal_move(int) returns bool language sql return true',
    'create function audit.mine() returns bool language sql return true',
    'create function report.mine() returns bool language sql return true',
    'create schema mine',
    'create or replace function refuse_change() returns trigger language plpgsql as $$ begin return new; end $$',
    'alter function refuse_change() owner to current_user',
    'create trigger mine before insert on ledger_entry for each row execute function refuse_change()',
    'delete from _prisma_migrations',
    'insert into report.recharges default values',
    `create role mine superuser`,
    `alter role ${APP_ROLE} superuser`,
  ])('%s', async (sql) => {
    expect(await answer(sql)).toBe(NO_RIGHT);
  });

  test('it owns nothing', async () => {
    const owned = await books.rows(
      `select relname from pg_class where relowner = $1::regrole
       union all select proname from pg_proc where proowner = $1::regrole
       union all select nspname from pg_namespace where nspowner = $1::regrole and nspname !~ '^pg_(toast_)?temp_'`,
      [APP_ROLE],
    );
    expect(owned).toEqual([]);
  });

  test('objects in its own schema do not change how a partition is made', async () => {
    const [last] = await books.rows<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'audit'::regnamespace and relkind = 'r'
         and relname ~ '^call_\\d{4}' order by 1 desc limit 1`,
    );
    await books.rows(`drop table audit.${last!.name}`);
    await app.query('create temp table audit_call (at timestamptz not null) partition by range (at)');
    expect((await app.query('select ensure_audit_partitions(2) as made')).rows).toEqual([{ made: 1 }]);
    const [made] = await books.rows<{ of: string }>(
      `select inhparent::regclass::text as of from pg_inherits where inhrelid = $1::regclass`,
      [`audit.${last!.name}`],
    );
    expect(made!.of).toBe('audit_call');
  });
});

describe('granting', () => {
  const owner = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client(books.url);
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };

  test('takes away other rights of the role, and gives it the missing ones', async () => {
    await books.rows(`grant all on all tables in schema public to ${APP_ROLE}`);
    await books.rows(`revoke insert on ledger_entry from ${APP_ROLE}`);
    await books.rows(`grant create on schema public to ${APP_ROLE}`);
    await owner((client) => grantRights(client, APP_ROLE));
    expect(await answer('update ledger_entry set amount_minor = amount_minor')).toBe(NO_RIGHT);
    expect(await answer('create table public.mine (n int)')).toBe(NO_RIGHT);
    await expect(domain.ping()).resolves.toBeUndefined();
    await recharged(domain, {}, 'submit', 'settled');
  });

  test('names a missing role, and refuses one that has the rights of the owner', async () => {
    await expect(owner((client) => refuseUnfitRole(client, 'nobody_there'))).rejects.toThrow(
      'create role "nobody_there" login password',
    );
    const superuser = new URL(server).username;
    await expect(owner((client) => refuseUnfitRole(client, superuser))).rejects.toThrow(
      'create another role for the processes',
    );
    await expect(owner((client) => refuseUnfitRole(client, APP_ROLE))).resolves.toBeUndefined();
  });

  test.each([
    ['login createrole', 'CREATEROLE'],
    ['login replication', 'REPLICATION'],
    ['login in role pg_write_all_data', 'pg_write_all_data'],
    ['login in role pg_execute_server_program', 'pg_execute_server_program'],
  ])('refuses a role that can go around the guards: %s', async (options, power) => {
    const role = `powerful_${process.pid}`;
    await owner((client) => client.query(`create role ${role} ${options}`));
    try {
      const checked = owner((client) => refuseUnfitRole(client, role));
      await expect(checked).rejects.toThrow(`has the rights of ${power}`);
    } finally {
      await owner((client) => client.query(`drop role ${role}`));
    }
  });

  test('refuses the owner of a table also when another role migrates', async () => {
    const role = `holder_${process.pid}`;
    await owner((client) => client.query(`create role ${role} login`));
    try {
      await owner((client) => client.query(`alter table nonce owner to ${role}`));
      const checked = owner((client) => refuseUnfitRole(client, role));
      await expect(checked).rejects.toThrow(`has all rights of ${role}, which owns the tables`);
    } finally {
      await owner((client) => client.query('alter table nonce owner to current_user'));
      await owner((client) => client.query(`drop role ${role}`));
    }
  });

  test.each(['transition', 'provider_call', 'day_counter'])(
    'a process whose role lacks a right on %s is not ready',
    async (table) => {
      await books.rows(`revoke all on ${table} from ${APP_ROLE}`);
      await expect(domain.ping()).rejects.toThrow(`insert on ${table}`);
      await owner((client) => grantRights(client, APP_ROLE));
      await expect(domain.ping()).resolves.toBeUndefined();
    },
  );

  test('makes no more partitions than a year needs, whatever it is asked for', async () => {
    const { rows } = await app.query<{ made: number }>('select ensure_audit_partitions(600) as made');
    expect(rows[0]!.made).toBeLessThanOrEqual(13);
  });
});

describe('a process reports once that its role could switch the guards off', () => {
  const wordsFor = async (databaseUrl: string): Promise<string[]> => {
    const words: string[] = [];
    const onExcessRights = (one: string) => void words.push(one);
    const one = openDomain({ databaseUrl, reconcileAfterMs: 1, providerTimeoutMs: 1, onExcessRights });
    await one.ping();
    await one.ping();
    await one.close();
    return words;
  };

  test('a superuser', async () => {
    expect(await wordsFor(books.url)).toEqual([
      expect.stringMatching(/^the role \w+ of DATABASE_URL is a superuser, so/),
    ]);
  });

  test('not the role of the processes', async () => {
    expect(await wordsFor(asApp(books.url))).toEqual([]);
  });

  test('an owner, and a role that may create objects', async () => {
    const role = `owner_${uuidv7().replaceAll('-', '')}`;
    const database = await createDatabase();
    const url = Object.assign(new URL(database.url), { username: role, password: 'p' }).href;
    await execute(server, `create role ${role} login password 'p'`);
    await execute(database.url, `grant ${APP_ROLE} to ${role}; grant create on schema public to ${role}`);
    expect(await wordsFor(url)).toEqual([expect.stringContaining('may create objects in schema public')]);
    await execute(database.url, `alter table nonce owner to ${role}`);
    expect(await wordsFor(url)).toEqual([expect.stringContaining('owns the tables')]);
    await database.release();
    await execute(server, `drop role ${role}`);
  });
});
