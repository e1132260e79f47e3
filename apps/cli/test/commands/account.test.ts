import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

let books: CommandBooks;
beforeAll(async () => {
  books = await openCommandBooks();
});
afterAll(() => books.close());

const zone = async (...args: string[]) =>
  JSON.parse((await books.run('account', 'time-zone', 'acct-1', ...args, '--json')).lines[0]!);

test('the time zone of an account is shown, set and forgotten', async () => {
  expect(await zone()).toEqual({ accountId: 'acct-1', timeZone: 'UTC', isSet: false });
  expect(await zone('Europe/Berlin')).toEqual({
    accountId: 'acct-1',
    timeZone: 'Europe/Berlin',
    isSet: true,
  });
  expect(await zone('Asia/Tokyo')).toMatchObject({ timeZone: 'Asia/Tokyo' });
  const opened = await books.domain.accountMonths.open({
    ...{ accountId: 'acct-1', month: '2026-01', currency: 'USD' },
  });
  expect(opened).toMatchObject({ ok: true, month: { timeZone: 'Asia/Tokyo' } });
  expect(await zone('--default')).toMatchObject({ timeZone: 'UTC', isSet: false });
});

test.each([['+08:00'], ['Mars/Base'], ['Asia/Tokyo', '--default']])('%s is refused', async (...args) => {
  const { exitCode } = await books.run('account', 'time-zone', 'acct-1', ...args);
  expect(exitCode).toBe(2);
});
