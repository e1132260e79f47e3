import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { DeliveryFilter } from '../../src/index.js';
import { type Books, CLIENT, openBooks } from '../support/books.js';

// More than two pages look at, five statements of 600 each, so a page may end before it is full.
const DELIVERIES = 6_500;
// One in 900 has failed, so most statements find none of them.
const SPACING = 900;

let books: Books;
let failed: string[];
beforeAll(async () => {
  books = await openBooks();
  await books.rows(`
    set session_replication_role = replica;
    insert into callback_delivery (id, event_id, seq, client_id, lane, subject, type, url, status, due_at)
      select ('0189a5b0-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, gen_random_uuid(), n, '${CLIENT}',
        '${CLIENT}', gen_random_uuid(), 'recharge.succeeded', 'https://receiver.test/',
        case when n % ${SPACING} = 0 then 'failed' else 'delivered' end, null
      from generate_series(1, ${DELIVERIES}) n;
    reset session_replication_role`);
  failed = (
    await books.rows<{ id: string }>(
      `select id from callback_delivery where status = 'failed' order by id desc`,
    )
  ).map(({ id }) => id);
});
afterAll(() => books.close());

/** The ids of all pages, page by page. */
async function pages(over: Partial<DeliveryFilter>): Promise<string[][]> {
  const found: string[][] = [];
  let beforeId: string | undefined;
  do {
    const page = await books.domain.callbacks.deliveries({
      ...{ clientId: CLIENT, accountPatterns: ['%'], limit: 3, beforeId },
      ...over,
    });
    found.push(page.rows.map(({ id }) => id));
    beforeId = page.nextId ?? undefined;
  } while (beforeId !== undefined);
  return found;
}

test('a rare status is found once in all pages, behind any number of other deliveries', async () => {
  const found = await pages({ status: 'failed' });
  expect(failed).toHaveLength(Math.floor(DELIVERIES / SPACING));
  expect(found.flat()).toEqual(failed);
  expect(found.slice(0, 2).map((page) => page.length)).toEqual([3, 3]);
});

test('a status that no delivery has leads to an end', async () => {
  const found = await pages({ status: 'canceled' });
  expect(found.flat()).toEqual([]);
  // The first two pages look at 3,000 deliveries each, the third at the rest.
  expect(found).toHaveLength(3);
});

test('a common status fills each page, also one as long as a statement looks', async () => {
  const found = await pages({ status: 'delivered', limit: 600 });
  expect(new Set(found.flat()).size).toBe(DELIVERIES - failed.length);
  expect(found.map((page) => page.length)).toEqual([
    ...Array.from({ length: 10 }, () => 600),
    DELIVERIES - failed.length - 6_000,
  ]);
});
