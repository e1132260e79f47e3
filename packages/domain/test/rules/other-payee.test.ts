import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@replenish/testing';
import pg from 'pg';
import { type Books, openBooks } from '../support/books.js';
import { KEY_ROW, newRule, paysTo, toCloud, VIEWER } from '../support/rules.js';

let books: Books;
let rival: pg.Client;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
  rival = new pg.Client(books.url);
  await rival.connect();
});
afterAll(async () => {
  await rival.end();
  await books.close();
});

const ACCOUNT = 'acct-paid';
const route = () => ({ provider: 'sandbox', providerAccount: 'main' });
const waitsForLock = async () =>
  (
    await books.rows(
      `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
    )
  ).length > 0;

/** A look that has read its facts when `change` happens, and has not filed its decision. */
async function lookAround(id: string, change: () => Promise<unknown>) {
  await books.rows('delete from rule_counter');
  await rival.query('begin');
  await rival.query(`insert into rule_counter (name, currency) values ('fleet', 'USD')`);
  const looked = books.domain.rules.look(id, route);
  await until(waitsForLock, { limitMs: 30_000 }, 'a look that makes its counters');
  await change();
  await rival.query('rollback');
  return looked;
}

test('a payee that changes between the facts and the decision gets nothing, and the rule pauses', async () => {
  await paysTo(books, ACCOUNT, 'fa-agreed');
  const created = await books.domain.rules.create(
    newRule({ accountId: ACCOUNT, watch: 'cloud', recharge: toCloud }),
  );
  if (!created.ok) throw new Error(created.problem);
  const { id } = created.rule;
  const account = (await books.domain.rules.watched.claim(id))!;
  await books.domain.rules.watched.record(account, { minor: 0n, cashMinor: null }, 0);
  const looked = await lookAround(id, () => paysTo(books, ACCOUNT, 'fa-other'));
  expect(looked).toMatchObject({
    ...{ pause: 'PAYEE_CHANGED', decision: { decided: 'held_back', because: 'PAYEE_CHANGED' } },
  });
  expect(await books.domain.rules.one(id, VIEWER)).toMatchObject({
    ...{ status: 'paused', pausedBecause: 'PAYEE_CHANGED' },
  });
  expect(await books.rows('select id from recharge_transaction')).toEqual([]);
});

test('a stop of all rules between the facts and the decision holds it back', async () => {
  const created = await books.domain.rules.create(newRule());
  if (!created.ok) throw new Error(created.problem);
  const { id } = created.rule;
  const looked = await lookAround(id, () => books.domain.rules.setStopped(true, 'books'));
  expect(looked).toMatchObject({ pause: null, decision: { decided: 'held_back', because: 'STOPPED' } });
  expect(await books.rows('select id from recharge_transaction')).toEqual([]);
  await books.domain.rules.setStopped(false, 'books');
  expect(await books.domain.rules.look(id, route)).toMatchObject({ decision: { decided: 'recharge' } });
});
