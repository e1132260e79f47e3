import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewRule } from '@replenish/domain';
import { execute } from '@replenish/testing';
import { addRuleKey, createRule } from './support/automation.js';
import { CLIENT, CODE, fieldIn, linksIn, openConsoleOnBooks, type ServedConsole } from './support/console.js';

const HOSTILE = '"><script>alert(1)</script>';
let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
  await addRuleKey(served);
});
afterAll(() => served.close());

const ruled = (over: Partial<NewRule> = {}): Promise<string> => createRule(served, over);
const statusOf = async (id: string) => (await served.domain.rules.one(id, null))?.status;
const actsOn = async (subject: string) =>
  (await served.domain.console.actions(null, 50)).filter((act) => act.subject === subject);

test('the list and the page of a rule are open to everybody, and show what it decided', async () => {
  const id = await ruled();
  const looked = await served.domain.rules.look(id, () => ({ provider: 'sandbox', providerAccount: 'main' }));
  for (const role of ['viewer', 'operator', 'approver', 'admin'] as const) {
    const list = await served.get('/rules', role);
    expect(list.status).toBe(200);
    expect(linksIn(list)).toContain(`/rules/${id}`);
    const page = await served.get(`/rules/${id}`, role);
    expect(page.status).toBe(200);
    expect(page.text).toMatch(/below the threshold/);
    expect(page.text).toMatch(/Recharge 50.00 USD<\/title>/);
    expect(linksIn(page)).toContain(`/recharges/${looked!.decision.transactionId}`);
  }
  expect((await served.get(`/rules/${id}?lang=zh`)).text).toMatch(/低于阈值/);
  expect((await served.get('/rules/none')).status).toBe(404);
});

test('a rule is paused and resumed once, with actor and reason on record', async () => {
  const id = await ruled();
  for (const [verb, status] of [
    ['pause', 'paused'],
    ['resume', 'active'],
  ] as const) {
    const page = await served.get(`/rules/${id}/${verb}`);
    const fields = { stamp: fieldIn(page, 'stamp'), reason: `as asked: ${verb}` };
    const answers = [];
    for (const _ of [1, 2]) answers.push((await served.send(`/rules/${id}/${verb}`, fields)).status);
    expect([answers, await statusOf(id)]).toEqual([[303, 409], status]);
  }
  expect(await actsOn(`rule ${id}`)).toMatchObject([
    { actor: 'mia', role: 'operator', verb: 'console_resume', reason: 'as asked: resume' },
    { actor: 'mia', role: 'operator', verb: 'console_pause', reason: 'as asked: pause' },
  ]);
  expect(served.hints).toContainEqual(['automation', id]);
  expect((await served.domain.rules.one(id, null))?.keyId).toBe('rk_test_rules');
});

test.each([
  ['without a reason', { reason: ' ' }, 400],
  ['of an old page', { stamp: 'active 1' }, 409],
  ['without a token', { _csrf: '' }, 403],
])('a form %s pauses nothing', async (_, change, status) => {
  const id = await ruled();
  const stamp = fieldIn(await served.get(`/rules/${id}/pause`), 'stamp');
  const answer = await served.send(`/rules/${id}/pause`, { stamp, reason: 'r', ...change });
  expect([answer.status, await statusOf(id)]).toEqual([status, 'active']);
});

test('a viewer and an approver are offered no verb and may use none', async () => {
  const id = await ruled();
  for (const role of ['viewer', 'approver'] as const) {
    expect(linksIn(await served.get(`/rules/${id}`, role))).not.toContain(`/rules/${id}/pause`);
    expect(linksIn(await served.get('/rules', role))).not.toContain('/rules/stop');
    for (const path of [`/rules/${id}/pause`, '/rules/stop']) {
      expect((await served.get(path, role)).status).toBe(403);
      expect((await served.send(path, { stamp: '', reason: 'r' }, role)).status).toBe(403);
    }
  }
  expect([await statusOf(id), (await served.domain.rules.stop()).isStopped]).toEqual(['active', false]);
});

test('an operator stops all rules without a code, and starts them with a fresh one only', async () => {
  const stop = { stamp: fieldIn(await served.get('/rules/stop'), 'stamp'), reason: 'prices are wrong' };
  expect((await served.send('/rules/stop', stop)).status).toBe(303);
  expect((await served.send('/rules/stop', stop)).status).toBe(409);
  expect(await served.domain.rules.stop()).toMatchObject({ isStopped: true, actor: 'mia' });
  expect((await served.get('/rules')).text).toMatch(/All rules are stopped/);
  const start = { stamp: fieldIn(await served.get('/rules/start'), 'stamp'), reason: 'prices are right' };
  expect((await served.send('/rules/start', start)).status).toBe(403);
  expect((await served.domain.rules.stop()).isStopped).toBe(true);
  expect((await served.send('/rules/start', { ...start, code: CODE })).status).toBe(303);
  expect((await served.domain.rules.stop()).isStopped).toBe(false);
  expect((await actsOn('all rules')).map(({ verb }) => verb)).toEqual(['console_start', 'console_stop']);
});

test('texts of others are shown as text', async () => {
  const id = await ruled({ accountId: HOSTILE, actor: HOSTILE });
  for (const path of ['/rules', `/rules/${id}`, `/rules/${id}/pause`]) {
    const { text } = await served.get(path);
    expect(text).toMatch(/&lt;script&gt;alert/);
    expect(text).not.toMatch(/<script>alert/);
  }
});

test('a version that waits is shown with what it changes, and a second person approves it', async () => {
  const id = await ruled({ accountId: 'acct-waiting' });
  const limited = (limits: string) =>
    execute(served.databaseUrl, `update api_key set approval_above = '${limits}' where id = 'rk_test_rules'`);
  await limited('{"USD": "100"}');
  const before = (await served.domain.rules.one(id, null))!;
  const wanted = { ...before.terms, belowMinor: 2_000n };
  const asks = { terms: wanted, recharge: before.recharge, keyId: before.keyId, actor: 'shop' };
  const viewer = { clientId: CLIENT, accountPatterns: ['%'] };
  const waits = await served.domain.rules.change(id, viewer, { ...asks, basedOn: null });
  if (!waits || waits === 'changed_since') throw new Error('the version was not asked for');
  const { approvalId } = waits.waiting!;
  await limited('{}');
  const rulePage = await served.get(`/rules/${id}`);
  expect(linksIn(rulePage)).toContain(`/approvals/${approvalId}`);
  expect(rulePage.text).toMatch(/the rule goes on by the terms in force/);
  expect((await served.get(`/rules/${id}?lang=zh`)).text).toMatch(/超出现行条款之处/);
  const list = await served.get('/approvals', 'approver');
  expect(linksIn(list)).toEqual(
    expect.arrayContaining([`/approvals/${approvalId}`, '/accounts/acct-waiting']),
  );
  const page = await served.get(`/approvals/${approvalId}/approve`, 'approver');
  expect(page.text).toMatch(/20.00 USD/);
  expect(page.text).toMatch(/takes the place of the terms in force/);
  const fields = { stamp: fieldIn(page, 'stamp'), reason: 'prices rose', code: CODE };
  expect((await served.send(`/approvals/${approvalId}/approve`, fields, 'approver')).status).toBe(303);
  expect((await served.domain.rules.one(id, null))!).toMatchObject({
    waiting: null,
    terms: { belowMinor: 2_000n },
  });
});

test('a rule that waits to act can be paused, and its approval is void then', async () => {
  await execute(
    served.databaseUrl,
    `update api_key set approval_above = '{"USD": "100"}' where id = 'rk_test_rules'`,
  );
  const id = await ruled();
  await execute(served.databaseUrl, `update api_key set approval_above = '{}' where id = 'rk_test_rules'`);
  const page = await served.get(`/rules/${id}`);
  expect(linksIn(page)).toContain(`/rules/${id}/pause`);
  expect(linksIn(page)).not.toContain(`/rules/${id}/resume`);
  const form = await served.get(`/rules/${id}/pause`);
  expect(form.text).toMatch(/Its approval is refused/);
  const sent = await served.send(`/rules/${id}/pause`, { stamp: fieldIn(form, 'stamp'), reason: 'not now' });
  expect([sent.status, (await served.domain.rules.one(id, null))?.pausedBecause]).toEqual([
    303,
    'BY_REQUEST',
  ]);
});
