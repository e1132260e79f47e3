import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

async function kept(isProcessed: boolean): Promise<string> {
  const id = uuidv7();
  const event = { provider: 'sandbox', eventId: id, rawBody: Buffer.from('{}'), correlationId: 'c' };
  await books.domain.inbox.keep({ id, ...event });
  if (isProcessed)
    await books.rows('update webhook_event set processed_at = now(), due_at = null where id = $1', [id]);
  return id;
}

const change = (id: string, sql: string) =>
  books.rows(`update webhook_event set ${sql} where id = $1 returning id`, [id]).then(
    (rows) => rows.length,
    (error: { constraint?: string }) => error.constraint,
  );

test.each([
  ['id', `id = gen_random_uuid()`],
  ['provider', `provider = 'other'`],
  ['event id', `event_id = 'other'`],
  ['hash', `body_hash = 'other'`],
  ['bytes', `raw_body = 'other'`],
])('a stored event keeps its %s', async (_what, sql) => {
  for (const isProcessed of [false, true])
    expect(await change(await kept(isProcessed), sql)).toBe('webhook_event_same_event');
});

test('the body of an event can be emptied once the event is processed', async () => {
  expect(await change(await kept(false), `raw_body = ''`)).toBe('webhook_event_same_event');
  expect(await change(await kept(true), `raw_body = ''`)).toBe(1);
});
