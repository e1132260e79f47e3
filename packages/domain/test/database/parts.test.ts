import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Prisma } from '../../src/generated/client.js';
import { openDatabase } from '../../src/store/database/database.js';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
let store: ReturnType<typeof openDatabase>;
beforeAll(async () => {
  books = await openBooks();
  store = openDatabase({ databaseUrl: books.url, poolMax: 2, onConnectionLost: () => {} });
});
afterAll(async () => {
  await store.close();
  await books.close();
});

test('a part of a statement that is a function and was not called is refused, and not bound as a parameter', async () => {
  const part = () => Prisma.sql`1`;
  await expect(store.run(Prisma.sql`select ${part}`)).rejects.toThrow(TypeError);
  expect(await store.run(Prisma.sql`select ${part()} as one`)).toEqual([{ one: 1 }]);
});
