import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import { CODE, fieldIn, openConsoleOnBooks, type ServedConsole, troubles } from './support/console.js';

let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
  await execute(
    served.databaseUrl,
    `insert into operator (id, name, role, password_hash, totp_sealed)
     values ('${randomUUID()}', 'mia', 'operator', 'x', 'x')`,
  );
});
afterAll(() => served.close());

/** Freezes the list of an address, and returns the id of the bulk verb. */
async function frozen(query: string): Promise<string> {
  const answer = await served.send(`/bulk/new?${query}`, { reason: 'after the outage' });
  expect([answer.status, answer.location]).toEqual([303, expect.stringMatching(/^\/bulk\/[0-9a-f-]{36}$/)]);
  return answer.location!.replace('/bulk/', '');
}
const change = async (id: string, verb: 'start' | 'stop', more: Record<string, string> = {}) => {
  const stamp = fieldIn(await served.get(`/bulk/${id}/${verb}`), 'stamp');
  return served.send(`/bulk/${id}/${verb}`, { stamp, reason: 'as agreed', code: CODE, ...more });
};
const statusOf = async (id: string) => (await served.domain.bulks.one(id))?.bulk.status;

test('a list of recharges is counted and summed first, and frozen without what cannot be asked about', async () => {
  const silent = [
    await served.recharge({ amountMinor: 250n, accountId: 'bulk-1' }, ...troubles.silent),
    await served.recharge({ amountMinor: 500n, accountId: 'bulk-1' }, ...troubles.silent),
  ];
  await served.recharge({ amountMinor: 900n, accountId: 'bulk-1' }, ['submit'], ['settled']);
  const page = await served.get('/bulk/new?verb=recheck&account=bulk-1');
  expect(page.text).toMatch(/2 of this list/);
  expect(page.text).toMatch(/7\.50 USD/);
  const id = await frozen('verb=recheck&account=bulk-1');
  await served.recharge({ amountMinor: 1n, accountId: 'bulk-1' }, ...troubles.silent);
  const items = await served.domain.bulks.items(id);
  expect(items.map(({ subject }) => subject).toSorted()).toEqual(silent.toSorted());
  const one = await served.get(`/bulk/${id}`, 'viewer');
  expect([one.status, one.text.includes('7.50 USD'), one.text.includes('Start it')]).toEqual([
    200,
    true,
    false,
  ]);
  expect((await served.get('/bulk')).text).toMatch(/0 \/ 2/);
});

test('a list of cases is frozen without those whose money is in suspense', async () => {
  const absent = await served.recharge({ accountId: 'bulk-2' }, ...troubles.absent);
  const late = await served.recharge({ accountId: 'bulk-2' }, ...troubles.late);
  const caseOf = async (transactionId: string) =>
    (await served.domain.cases.list({ viewer: null, transactionId, limit: 1 }, () => true)).rows[0]!.id;
  const items = await served.domain.bulks.items(await frozen('verb=dismiss'));
  const subjects = items.map(({ subject }) => subject);
  expect([subjects.includes(await caseOf(absent)), subjects.includes(await caseOf(late))]).toEqual([
    true,
    false,
  ]);
});

test.each(['adopt', 'return', 'fail', 'resubmit', ''])(
  'there is no bulk verb %j, which could move money',
  async (verb) => {
    expect((await served.get(`/bulk/new?verb=${verb}`)).status).toBe(404);
    expect((await served.send(`/bulk/new?verb=${verb}`, { reason: 'all' })).status).toBe(404);
  },
);

test('it is started with a fresh code, once, and its start is filed', async () => {
  await served.recharge({ accountId: 'bulk-3' }, ...troubles.silent);
  const id = await frozen('verb=recheck&account=bulk-3');
  expect((await change(id, 'start', { code: '' })).status).toBe(403);
  expect(await statusOf(id)).toBe('draft');
  const stamp = fieldIn(await served.get(`/bulk/${id}/start`), 'stamp');
  const fields = { stamp, reason: 'as agreed', code: CODE };
  const answers = await Promise.all([
    served.send(`/bulk/${id}/start`, fields),
    served.send(`/bulk/${id}/start`, fields),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 409]);
  expect(await statusOf(id)).toBe('running');
  const actions = await served.domain.console.actions(null, 20);
  const started = actions.filter(({ verb, subject }) => verb === 'bulk_start' && subject.endsWith(id));
  expect(started).toMatchObject([{ actor: 'mia', role: 'operator', reason: 'as agreed' }]);
});

test('one that is stopped has no next item, and cannot be started', async () => {
  await served.recharge({ accountId: 'bulk-4' }, ...troubles.silent);
  const id = await frozen('verb=recheck&account=bulk-4');
  await change(id, 'start');
  expect(await served.domain.bulks.next(id)).toMatchObject({ position: 0 });
  expect((await change(id, 'stop')).status).toBe(303);
  expect([await statusOf(id), await served.domain.bulks.next(id)]).toEqual(['stopped', 'over']);
  expect((await served.get(`/bulk/${id}/start`)).status).toBe(409);
});

test.each(['viewer', 'approver'] as const)('a %s neither makes nor starts one', async (role) => {
  await served.recharge({ accountId: 'bulk-5' }, ...troubles.silent);
  const id = await frozen('verb=recheck&account=bulk-5');
  expect((await served.get('/bulk/new?verb=recheck', role)).status).toBe(403);
  expect((await served.send('/bulk/new?verb=recheck', { reason: 'x' }, role)).status).toBe(403);
  expect(
    (await served.send(`/bulk/${id}/start`, { stamp: 'draft', reason: 'x', code: CODE }, role)).status,
  ).toBe(403);
  expect(await statusOf(id)).toBe('draft');
});
