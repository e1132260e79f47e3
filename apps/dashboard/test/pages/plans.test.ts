import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newId } from '@replenish/runtime';
import { createPlan } from './support/automation.js';
import { fieldIn, linksIn, openConsoleOnBooks, type ServedConsole } from './support/console.js';

const HOSTILE = '"><script>alert(1)</script>';
let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
});
afterAll(() => served.close());

/** A plan that runs. Returns its id. */
const running = (
  lines: number,
  accountId = 'acct-1',
  name: string = newId(),
  providerAccount: string | null = null,
): Promise<string> => createPlan(served, { lines, accountId, name, providerAccount });
const statusOf = async (id: string) => (await served.domain.plans.one(id, null))?.status;

test('the list and the page of a plan are open to everybody, a hundred lines at a time', async () => {
  const id = await running(120);
  for (const role of ['viewer', 'operator', 'approver', 'admin'] as const) {
    const list = await served.get('/plans', role);
    expect([list.status, list.text.includes('not_started 120')]).toEqual([200, true]);
    expect(linksIn(list)).toContain(`/plans/${id}`);
    expect((await served.get(`/plans/${id}`, role)).status).toBe(200);
  }
  const first = await served.get(`/plans/${id}`);
  expect([first.text.includes('ref-100.'), first.text.includes('ref-101.')]).toEqual([true, false]);
  const next = await served.get(linksIn(first).find((href) => href.includes('?after='))!);
  expect([next.text.includes('ref-100.'), next.text.includes('ref-101.')]).toEqual([false, true]);
  expect((await served.get(`/plans/${id}?lang=zh`)).text).toMatch(/运行中/);
  expect((await served.get('/plans/none')).status).toBe(404);
});

test('a line that is held until the canary has arrived says so', async () => {
  const id = await running(2);
  expect((await served.get(`/plans/${id}`)).text).not.toMatch(/held until the canary/);
  await served.domain.plans.work.advance(id, 2, [], [2]);
  expect((await served.get(`/plans/${id}`)).text.match(/held until the canary has arrived/g)).toHaveLength(1);
  expect((await served.get(`/plans/${id}?lang=zh`)).text).toMatch(/等待试探充值到账/);
});

test('the lines show the account of ours that collects, where they name one', async () => {
  const page = async (account: string | null) =>
    (await served.get(`/plans/${await running(1, 'acct-1', newId(), account)}`)).text;
  expect(await page('shop')).toContain('sandbox · shop');
  expect(await page(null)).not.toContain('sandbox ·');
});

test.each([
  ['pause', 'paused'],
  ['resume', 'running'],
  ['cancel', 'canceled'],
] as const)('the verb %s is carried out once, with actor and reason on record', async (verb, status) => {
  const id = await running(1);
  if (verb === 'resume') await served.domain.plans.move({ planId: id, verb: 'pause', by: 'operator' });
  const path = `/plans/${id}/${verb}`;
  const fields = { stamp: fieldIn(await served.get(path), 'stamp'), reason: 'as asked' };
  for (const role of ['viewer', 'approver'] as const) {
    expect(linksIn(await served.get(`/plans/${id}`, role))).not.toContain(path);
    expect((await served.send(path, fields, role)).status).toBe(403);
  }
  expect((await served.send(path, { ...fields, reason: '' })).status).toBe(400);
  expect(await statusOf(id)).not.toBe(status);
  const answers = [(await served.send(path, fields)).status, (await served.send(path, fields)).status];
  expect([answers, await statusOf(id)]).toEqual([[303, 409], status]);
  const acts = await served.domain.console.actions(null, 50);
  expect(acts.filter(({ subject }) => subject === `plan ${id}`)).toMatchObject([
    { actor: 'mia', role: 'operator', verb: `console_${verb}`, reason: 'as asked' },
  ]);
});

test('texts of others are shown as text', async () => {
  const id = await running(1, HOSTILE, HOSTILE);
  for (const path of ['/plans', `/plans/${id}`, `/plans/${id}/pause`]) {
    const { text } = await served.get(path);
    expect(text).toMatch(/&lt;script&gt;alert/);
    expect(text).not.toMatch(/<script>alert/);
  }
});
