import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { BulkVerb, Domain, RechargeReport } from '@replenish/domain';
import { newId } from '@replenish/runtime';
import { openWorkerBooks, type WorkerBooks } from '@replenish/testing';
import { bulkChore } from '../../src/chores/bulk.js';

const mia = { actor: 'mia', role: 'operator' };

let books: WorkerBooks;
let domain: Domain;
const hints: string[] = [];
const queues = { hint: async (_queue: string, ids: readonly string[]) => Boolean(hints.push(...ids)) };
beforeAll(async () => {
  books = await openWorkerBooks();
  domain = books.domain;
  await books.rows(
    `insert into operator (id, name, role, password_hash, totp_sealed)
     values ('${randomUUID()}', 'mia', 'operator', 'x', 'x'), ('${randomUUID()}', 'leo', 'operator', 'x', 'x')`,
  );
});
afterAll(() => books.close());

async function recharge(
  ...news: readonly Pick<RechargeReport, 'news' | 'doubt' | 'providerOrderId'>[]
): Promise<string> {
  const transactionId = await books.recharged({}, 'submit');
  for (const heard of news)
    await domain.applyNews({ transactionId, source: 'poll', reason: 'as tested', ...heard });
  return transactionId;
}
const silent = () => recharge({ news: 'accepted', providerOrderId: newId() });
async function openCase(): Promise<string> {
  const transactionId = await recharge(
    { news: 'accepted', providerOrderId: newId() },
    { news: 'unknown', doubt: 'absent_order' },
  );
  return (await domain.cases.list({ viewer: null, transactionId, limit: 1 }, () => true)).rows[0]!.id;
}
async function started(verb: BulkVerb, subjects: readonly string[], by = mia): Promise<string> {
  const items = subjects.map((subject) => ({ subject, amountMinor: 100n, currency: 'USD' }));
  const id = await domain.bulks.create({ verb, filter: '/', isCut: false, reason: 'outage', items }, by);
  expect(await domain.bulks.start(id, by)).toBe(true);
  return id;
}
const run = (bulks: Domain['bulks'] = domain.bulks) =>
  bulkChore({ domain: { ...domain, bulks }, queues, isRefunding: () => true, log: books.log }).run();
const outcomesOf = async (id: string) => (await domain.bulks.items(id)).map(({ outcome }) => outcome);
const statusOf = async (id: string) => (await domain.bulks.one(id))?.bulk.status;
const acts = (verb: string, subjects: readonly string[]) =>
  books.rows<{ actor: string; reason: string }>(
    `select actor, reason from operator_action
     where verb = '${verb}' and coalesce(case_id, transaction_id) in ('${subjects.join("','")}')`,
  );

test('recharges are made due and hinted, in the name of the person who started it', async () => {
  const [under, final] = [await silent(), await recharge({ news: 'settled', providerOrderId: newId() })];
  const id = await started('recheck', [under, final]);
  await run();
  expect([await statusOf(id), await outcomesOf(id)]).toEqual(['finished', ['done', 'nothing_under_way']]);
  expect(hints).toContain(under);
  expect(await acts('recheck', [under, final])).toEqual([{ actor: 'mia', reason: 'outage' }]);
});

test.each([
  ['before the case is closed', 'before'],
  ['after the case is closed and before that is noted', 'after'],
])('a worker that dies %s does each case once: another goes on', async (_, moment) => {
  const cases = [await openCase(), await openCase(), await openCase()];
  const id = await started('dismiss', cases);
  const dying: Domain['bulks'] = {
    ...domain.bulks,
    next: async (bulk) => {
      const item = await domain.bulks.next(bulk);
      if (moment === 'before' && item !== 'over' && item.position === 1) throw new Error('it died');
      return item;
    },
    file: async (item) => {
      if (moment === 'after' && item.position === 1) throw new Error('it died');
      return domain.bulks.file(item);
    },
  };
  await expect(run(dying)).rejects.toThrow('it died');
  expect((await outcomesOf(id)).filter((outcome) => outcome === null)).toHaveLength(2);
  expect(await domain.bulks.take()).toBeNull();
  await books.rows(`update bulk_verb set due_at = now() - interval '1 s' where id = '${id}'`);
  await run();
  expect([await statusOf(id), await outcomesOf(id)]).toEqual(['finished', ['done', 'done', 'done']]);
  expect(await acts('dismiss', cases)).toHaveLength(3);
});

test('what was decided meanwhile is left as it is', async () => {
  const [first, second] = [await openCase(), await openCase()];
  const id = await started('dismiss', [first, second]);
  await domain.cases.resolve(
    { caseId: first, verb: 'fail', reason: 'x', evidence: {}, ...mia, viewer: null, idempotencyKey: null },
    () => true,
  );
  await run();
  expect(await outcomesOf(id)).toEqual(['case_closed', 'done']);
});

test('it stops when the person who started it may not decide any more', async () => {
  const caseId = await openCase();
  const id = await started('dismiss', [caseId], { actor: 'leo', role: 'operator' });
  await books.rows(`update operator set disabled_at = now() where name = 'leo'`);
  await run();
  expect([await statusOf(id), await outcomesOf(id)]).toEqual(['stopped', [null]]);
  expect((await domain.cases.one(caseId, null, () => true))?.closedAt).toBeNull();
});

test('two workers at once do each item once', async () => {
  const cases = [await openCase(), await openCase(), await openCase()];
  const id = await started('dismiss', cases);
  await Promise.all([run(), run()]);
  expect([await statusOf(id), await acts('dismiss', cases)]).toMatchObject(['finished', { length: 3 }]);
});
