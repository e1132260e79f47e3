import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { type CommandBooks, openCommandBooks } from '../support/command-books.js';

const MASTER_KEYS = `test:${randomBytes(32).toString('base64')}`;

let books: CommandBooks;
beforeAll(async () => {
  books = await openCommandBooks({ CASES_DUE_MS: '60000', MASTER_KEYS });
});
afterAll(() => books.close());

/** A case of a recharge whose money came late. */
async function openedCase(): Promise<string> {
  const ask = newRecharge({ id: uuidv7(), amountMinor: 100n });
  await books.domain.createRecharge(ask);
  for (const news of ['submit', 'declined', 'settled'] as const)
    await books.domain.applyNews({
      ...{ transactionId: ask.id, news, source: 'webhook', reason: 'as tested' },
      ...(news === 'settled' && { providerOrderId: `order-${ask.id}` }),
    });
  const { rows } = await books.domain.cases.list(
    { viewer: null, transactionId: ask.id, limit: 1 },
    () => true,
  );
  return rows[0]!.id;
}

const json = async (...args: string[]) => {
  const { exitCode, text } = await books.run(...args, '--json');
  return { exitCode, body: JSON.parse(text) };
};
const listed = async (...args: string[]): Promise<string[]> =>
  (await json('case', 'list', ...args)).body.map(({ caseId }: { caseId: string }) => caseId);

test('a case is given to who may decide cases, on the version that was seen, and to nobody again', async () => {
  const id = await openedCase();
  const { exitCode, text } = await books.run('case', 'assign', id, '--to', 'ada', '--actor', 'ada');
  expect([exitCode, text]).toEqual([1, expect.stringContaining('nobody of that name can decide cases')]);
  expect((await books.run('user', 'create', '--name', 'ada', '--role', 'operator')).exitCode).toBe(0);
  expect(await json('case', 'assign', id, '--to', 'ada', '--actor', 'ada')).toMatchObject({
    exitCode: 0,
    body: { caseId: id, assignee: 'ada', desk: 1, acts: [{ verb: 'assign', actor: 'ada' }] },
  });
  expect(await listed('--desk', 'mine', '--actor', 'ada')).toEqual([id]);
  expect(await listed('--desk', 'unassigned')).not.toContain(id);
  const late = await books.run('case', 'assign', id, '--nobody', '--seen', '0');
  expect([late.exitCode, late.text]).toEqual([1, expect.stringContaining('somebody else has changed it')]);
  expect((await json('case', 'assign', id, '--nobody', '--seen', '1')).body).toMatchObject({
    assignee: null,
  });
  expect((await books.run('case', 'assign', id)).exitCode).toBe(2);
  expect((await books.run('case', 'assign', id, '--to', 'ada', '--nobody')).exitCode).toBe(2);
});

test('a due time is set and taken back, and a case beyond it is overdue', async () => {
  const id = await openedCase();
  expect(await listed('--desk', 'overdue')).not.toContain(id);
  const set = await json('case', 'due', id, '--at', '2026-01-31');
  expect(set.body).toMatchObject({ dueAt: '2026-01-31T00:00:00.000Z' });
  expect(await listed('--desk', 'overdue')).toContain(id);
  expect((await json('case', 'due', id, '--default')).body).toMatchObject({ dueAt: null });
  expect(await listed('--desk', 'overdue')).not.toContain(id);
  expect((await books.run('case', 'due', id)).exitCode).toBe(2);
});

test('a comment is kept with the case, and without a channel nothing is sent', async () => {
  const id = await openedCase();
  expect((await books.run('case', 'comment', id, '--text', 'asked the bank')).exitCode).toBe(0);
  const shown = await books.run('case', 'show', id);
  expect(shown.text).toMatch(/assignee +-\ndue +by the default\ndesk +0\ncomment +\S+ \S+: asked the bank$/);
  expect((await books.run('case', 'comment', id, '--text', 'x'.repeat(2_001))).text).toContain('2,000');
  expect((await books.run('case', 'send', id, '--note', 'see this')).text).toContain('no channel');
  expect((await books.run('case', 'comment', uuidv7(), '--text', 'x')).text).toContain('no such case');
});
