import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { checkSequences } from '../support/any-sequence.js';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

test('any sequence of requests, reports and decisions leaves the books whole', async () => {
  expect(await checkSequences(books, { numRuns: 20, stepsMax: 20 })).toBe(20);
  expect(await books.domain.verify()).toEqual([]);
});
