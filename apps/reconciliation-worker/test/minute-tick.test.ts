import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openRegistry } from '@replenish/runtime';
import { openWorkerBooks, until, type WorkerBooks } from '@replenish/testing';
import { startMinuteTick } from '../src/chores/minute-tick.js';

let books: WorkerBooks;
beforeAll(async () => {
  books = await openWorkerBooks();
});
afterAll(() => books.close());

test('what is kept for a time only is forgotten by a first run', async () => {
  await books.rows(
    `insert into nonce (key_id, nonce, seen_at) values ('k', 'old', now() - interval '1 hour'), ('k', 'young', now())`,
  );
  await books.rows(
    `insert into security_event (rule, count, at) values ('amount', 1, now() - interval '8 days')`,
  );
  const end = startMinuteTick({
    domain: books.domain,
    kept: { webhookBodiesDays: 7, securityEventsDays: 7 },
    log: books.log,
    registry: openRegistry('reconciliation-worker'),
  });
  const left = async () => ({
    nonces: await books.rows('select nonce from nonce'),
    events: await books.rows('select rule from security_event'),
  });
  const isOver = async () => {
    const { nonces, events } = await left();
    return nonces.length === 1 && events.length === 0;
  };
  await until(isOver, { limitMs: 20_000 }, 'the end of the first run');
  end();
  expect(await left()).toEqual({ nonces: [{ nonce: 'young' }], events: [] });
});
