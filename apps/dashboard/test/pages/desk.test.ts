import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import { fieldIn, openConsoleOnBooks, type ServedConsole, troubles } from './support/console.js';

let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
  await execute(
    served.databaseUrl,
    `insert into operator (id, name, role, password_hash, totp_sealed)
     values ('${randomUUID()}', 'leo', 'operator', 'x', 'x'), ('${randomUUID()}', 'ann', 'viewer', 'x', 'x')`,
  );
});
afterAll(() => served.close());

async function openCase(accountId = 'acct-1'): Promise<string> {
  const id = await served.recharge({ amountMinor: 100n, accountId }, ...troubles.absent);
  const filter = { viewer: null, status: 'open', transactionId: id, limit: 1 } as const;
  return (await served.domain.cases.list(filter, () => true)).rows[0]!.id;
}
const stampOf = async (caseId: string, verb: string): Promise<string> =>
  fieldIn(await served.get(`/cases/${caseId}/${verb}`), 'stamp');
const entryOf = async (caseId: string) => (await served.domain.desk.of([caseId])).get(caseId);

test('an operator takes a case, and finds it under mine and no more under unassigned', async () => {
  const [caseId, other] = [await openCase(), await openCase()];
  const stamp = await stampOf(caseId, 'assign');
  const answer = await served.send(`/cases/${caseId}/assign`, { stamp, assignee: 'mia' });
  expect([answer.status, answer.location]).toEqual([303, `/cases/${caseId}`]);
  const [mine, unassigned] = [
    await served.get('/cases?desk=mine'),
    await served.get('/cases?desk=unassigned'),
  ];
  expect([mine.text.includes(caseId), mine.text.includes(other)]).toEqual([true, false]);
  expect([unassigned.text.includes(caseId), unassigned.text.includes(other)]).toEqual([false, true]);
  expect((await served.get(`/cases/${caseId}`)).text).toMatch(/<b>mia<\/b> assigned it: given to mia/);
  const [action] = await served.domain.console.actions(null, 1);
  expect(action).toMatchObject({
    actor: 'mia',
    role: 'operator',
    verb: 'assign',
    caseId,
    transactionId: null,
  });
});

test('a case is given to another operator, and to nobody who may not decide it', async () => {
  const caseId = await openCase();
  const stamp = await stampOf(caseId, 'assign');
  for (const assignee of ['ann', 'no-one'])
    expect((await served.send(`/cases/${caseId}/assign`, { stamp, assignee })).status).toBe(400);
  expect(await entryOf(caseId)).toBeUndefined();
  expect((await served.send(`/cases/${caseId}/assign`, { stamp, assignee: 'leo' })).status).toBe(303);
  expect(await entryOf(caseId)).toMatchObject({ assignee: 'leo' });
});

test.each(['new', 'assigned'])(
  'of two people who take a case at once that is %s, the second is told',
  async (kind) => {
    const caseId = await openCase();
    const take = async (name: string, stamp: string) =>
      served.send(`/cases/${caseId}/assign`, { stamp, assignee: name }, 'operator', name);
    if (kind === 'assigned') await take('mia', await stampOf(caseId, 'assign'));
    const stamp = await stampOf(caseId, 'assign');
    const answers = await Promise.all([take('mia', stamp), take('leo', stamp)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([303, 409]);
    const winner = answers[0]!.status === 303 ? 'mia' : 'leo';
    const loser = answers.find(({ status }) => status === 409)!;
    expect(loser.text).toMatch(/somebody else has changed it since you looked/);
    expect(loser.text).toMatch(new RegExp(`Assignee: ${winner}`));
    expect((await entryOf(caseId))?.assignee).toBe(winner);
  },
);

test('comments are kept with actor and time, as text, and a form that comes twice adds one', async () => {
  const caseId = await openCase();
  const fields = { stamp: await stampOf(caseId, 'comment'), text: '<b>asked</b> the bank' };
  for (let i = 0; i < 2; i++)
    expect((await served.send(`/cases/${caseId}/comment`, fields)).status).toBe(303);
  const page = await served.get(`/cases/${caseId}`);
  expect(page.text).toMatch(/&lt;b&gt;asked&lt;\/b&gt; the bank/);
  const acts = await served.domain.desk.history(caseId);
  expect(acts).toMatchObject([{ actor: 'mia', verb: 'comment', text: '<b>asked</b> the bank' }]);
  expect(acts[0]!.at).toBeInstanceOf(Date);
});

test('a comment has 2,000 characters at most, and one that is too long is not lost', async () => {
  const caseId = await openCase();
  const say = async (text: string) =>
    served.send(`/cases/${caseId}/comment`, { stamp: await stampOf(caseId, 'comment'), text });
  const long = await say('x'.repeat(2_001));
  expect([long.status, long.text.includes('x'.repeat(2_001))]).toEqual([400, true]);
  expect((await say('')).status).toBe(400);
  expect((await say('x'.repeat(2_000))).status).toBe(303);
});

test('a closed case takes no comment, no assignee and no due time', async () => {
  const caseId = await openCase();
  const stamps = { assign: '0', due: '0', comment: await stampOf(caseId, 'comment') };
  const dismiss = await served.get(`/cases/${caseId}/dismiss`);
  await served.send(`/cases/${caseId}/dismiss`, { stamp: fieldIn(dismiss, 'stamp'), reason: 'no matter' });
  for (const [verb, stamp] of Object.entries(stamps)) {
    const fields = { stamp, text: 'too late', assignee: 'mia', due: '2030-01-01T00:00' };
    const answer = await served.send(`/cases/${caseId}/${verb}`, fields);
    expect([answer.status, answer.text.includes('the case is decided already')]).toEqual([409, true]);
  }
  expect(await served.domain.desk.history(caseId)).toEqual([]);
});

test('a case is overdue after the default, or after the time that a person set', async () => {
  const [late, early, mended] = [await openCase(), await openCase(), await openCase()];
  await execute(
    served.databaseUrl,
    `update reconciliation_case set opened_at = now() - interval '2 hours' where id in ('${late}', '${mended}')`,
  );
  const set = async (caseId: string, due: string) =>
    served.send(`/cases/${caseId}/due`, { stamp: await stampOf(caseId, 'due'), due });
  expect((await set(early, '2026-01-01T00:00')).status).toBe(303);
  expect((await set(mended, '2999-01-01T00:00')).status).toBe(303);
  const { text } = await served.get('/cases?desk=overdue&order=due');
  expect([late, early, mended].map((id) => text.includes(id))).toEqual([true, true, false]);
  expect(text.indexOf(early)).toBeLessThan(text.indexOf(late));
  expect((await set(late, 'tomorrow')).status).toBe(400);
});

test.each(['viewer', 'approver'] as const)('a %s changes nothing of the desk', async (role) => {
  const caseId = await openCase();
  for (const verb of ['assign', 'due', 'comment', 'send']) {
    expect((await served.get(`/cases/${caseId}/${verb}`, role)).status).toBe(403);
    expect((await served.send(`/cases/${caseId}/${verb}`, { stamp: '0', text: 'x' }, role)).status).toBe(403);
  }
  expect(await entryOf(caseId)).toBeUndefined();
});

test('what people say about a case is not in the timeline that clients read', async () => {
  const caseId = await openCase();
  await served.send(`/cases/${caseId}/comment`, {
    stamp: await stampOf(caseId, 'comment'),
    text: 'internal',
  });
  const { transactionId } = (await served.domain.cases.one(caseId, null, () => true))!;
  expect(JSON.stringify(await served.domain.reads.timeline(transactionId!))).not.toMatch(/internal/);
});

test('a case is sent to each open channel once, with kind, money and age, and its history says so', async () => {
  const caseId = await openCase('acct-sent');
  const closedPage = await served.get(`/cases/${caseId}`);
  expect(closedPage.text).not.toMatch(/Send it out/);
  const fields = { stamp: await stampOf(caseId, 'send'), text: 'please ask the bank' };
  const none = await served.send(`/cases/${caseId}/send`, fields);
  expect([none.status, none.text.includes('no channel of notices is configured')]).toEqual([409, true]);
  expect(await served.domain.desk.history(caseId)).toEqual([]);
  await served.domain.notices.openChannels(['slack', 'webhook']);
  expect((await served.get(`/cases/${caseId}`)).text).toMatch(/Send it out/);
  for (let i = 0; i < 2; i++) expect((await served.send(`/cases/${caseId}/send`, fields)).status).toBe(303);
  for (const channel of ['slack', 'webhook']) {
    const taken = await served.domain.notices.take(channel, { everyMs: 0, leaseMs: 60_000 });
    expect(taken).toMatchObject([
      {
        kind: 'case_sent',
        content: {
          ...{ caseId, caseKind: 'absent_order', accountId: 'acct-sent', amount: '100', currency: 'USD' },
          ...{ by: 'mia', note: 'please ask the bank', openedAt: expect.stringMatching(/^\d{4}-\d\d-\d\d /) },
        },
      },
    ]);
  }
  expect(await served.domain.desk.history(caseId)).toMatchObject([{ actor: 'mia', verb: 'send' }]);
  await served.domain.notices.openChannels([]);
});
