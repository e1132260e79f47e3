import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { KeyedVerb } from '../../src/index.js';
import { type Books, openBooks } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const aVerb = (changes: Partial<KeyedVerb> = {}): KeyedVerb => ({
  ...{ clientId: uuidv7(), idempotencyKey: 'key-1', operation: 'pauseRule', fingerprint: 'f' },
  ...changes,
});
const answer = { status: 200, root: 'rule', body: '{"status":"paused"}' };

test('a key is new, then begun, and then has the answer that was kept first', async () => {
  const [keys, verb] = [books.domain.answeredKeys, aVerb()];
  expect(await keys.begin(verb)).toEqual({ is: 'new' });
  expect(await keys.begin(verb)).toEqual({ is: 'begun' });
  expect(await keys.keep(verb, answer)).toEqual(answer);
  expect(await keys.keep(verb, { ...answer, body: '{}' })).toEqual(answer);
  expect(await keys.begin(verb)).toEqual({ is: 'answered', answer });
});

test('a key is of one request and of one client', async () => {
  const [keys, verb] = [books.domain.answeredKeys, aVerb()];
  await keys.begin(verb);
  const other = { ...verb, fingerprint: 'g' };
  expect(await keys.begin(other)).toEqual({ is: 'other_request' });
  expect(await keys.forget(other, true)).toBe(false);
  await keys.keep(other, answer);
  expect(await keys.begin(verb)).toEqual({ is: 'begun' });
  expect(await keys.begin({ ...verb, clientId: uuidv7() })).toEqual({ is: 'new' });
});

test('of requests that come at once, one is the first', async () => {
  const verb = aVerb();
  const known = await Promise.all(Array.from({ length: 8 }, () => books.domain.answeredKeys.begin(verb)));
  expect(known.filter(({ is }) => is === 'new')).toHaveLength(1);
  expect(known.filter(({ is }) => is === 'begun')).toHaveLength(7);
});

test('a refused request frees its key, unless it came again or has its answer', async () => {
  const [keys, verb] = [books.domain.answeredKeys, aVerb()];
  await keys.begin(verb);
  expect(await keys.forget(verb, true)).toBe(true);
  expect(await keys.begin(verb)).toEqual({ is: 'new' });
  await keys.begin(verb);
  expect(await keys.forget(verb, true)).toBe(false);
  expect(await keys.forget(verb, false)).toBe(true);
  await keys.begin(verb);
  await keys.keep(verb, answer);
  expect(await keys.forget(verb, false)).toBe(false);
});
