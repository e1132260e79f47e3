import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

test('the backlog of webhooks counts what was stored and not processed, without what has a case', async () => {
  expect(await books.domain.reads.webhookBacklog()).toEqual({ count: 0, oldestSeconds: 0 });
  const keep = async () => {
    const id = uuidv7();
    await books.domain.inbox.keep({
      ...{ id, provider: 'sandbox', eventId: id, rawBody: Buffer.from('{}'), correlationId: 'c-1' },
    });
    return id;
  };
  const [old, unread] = [await keep(), await keep(), await keep()];
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    update webhook_event set stored_at = now() - interval '10 minutes' where id = '${old}';
    update webhook_event set stored_at = now() - interval '1 hour', verdict = 'unread' where id = '${unread}';
    commit`);
  const backlog = await books.domain.reads.webhookBacklog();
  expect(backlog.count).toBe(2);
  expect(backlog.oldestSeconds).toBeGreaterThanOrEqual(600);
  expect(backlog.oldestSeconds).toBeLessThan(1_000);
});

test.each([
  ['behind', -90_000],
  ['ahead', 90_000],
])('a clock that is %s of the clock of the database is told by how much', async (_, offsetMs) => {
  const skewMs = await books.domain.reads.clockSkewMs(() => Date.now() + offsetMs);
  expect(Math.sign(skewMs)).toBe(Math.sign(offsetMs));
  expect(Math.abs(skewMs)).toBeLessThan(120_000);
  expect(Math.abs(skewMs)).toBeGreaterThan(60_000);
});

test('the time that an answer takes is no difference of clocks', async () => {
  expect(await books.domain.reads.clockSkewMs(Date.now)).toBe(0);
});
