import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { scenarioNames } from '../src/machine/scenarios.js';
import { openRig, type Rig, until } from './support/rig.js';

let rig: Rig;
const references: string[] = [];
beforeAll(async () => {
  rig = await openRig();
  for (let n = 0; n < 7; n++) references.push(rig.newReference());
  for (const reference of references) await rig.submit(reference);
  await until(() => rig.sandbox.counters.webhooks.sent === 7);
});
afterAll(() => rig.close());

const list = async (query: string) => (await rig.call('GET', `/_control/orders?${query}`)).body;

test('an order is found by its reference, and an unknown reference gives none', async () => {
  const [order] = await rig.inspect(references[0]!);
  expect(order).toMatchObject({
    id: expect.stringMatching(/^sbx_/),
    reference: references[0],
    amount: 4999,
    currency: 'USD',
    status: 'settled',
    charges: [{ amount: 4999, status: 'captured' }],
  });
  expect(await list('reference=a-stranger')).toEqual({ orders: [] });
});

test('orders are listed newest first, in pages', async () => {
  const listed: string[] = [];
  let cursor = '';
  for (let page = 0; page < 4 && cursor !== 'end'; page++) {
    const { orders, nextCursor } = await list(`limit=3${cursor && `&cursor=${cursor}`}`);
    listed.push(...orders.map((order: { reference: string }) => order.reference));
    cursor = nextCursor ?? 'end';
  }
  expect(listed).toEqual([...references].reverse());
  expect((await list('')).orders).toHaveLength(7);
});

test.each(['limit=0', 'limit=1001', 'limit=many', 'cursor=%20'])('%s is refused', async (query) => {
  expect((await rig.call('GET', `/_control/orders?${query}`)).status).toBe(400);
});

test('contacts about a reference are listed in order, with their answers', async () => {
  const reference = rig.newReference();
  const scenario = 'server_error_then_ok';
  await rig.submit(reference, { scenario });
  await rig.query(reference);
  await rig.submit(reference, { scenario });
  await rig.submit(reference, { scenario });
  await rig.submit(reference, { scenario });
  await rig.submit(reference, { scenario, amount: 1 });
  expect(await rig.calls(reference)).toEqual([
    'submit 503',
    'query 200',
    'submit 503',
    'submit 201',
    'submit 200',
    'submit 409',
  ]);
  const { body } = await rig.call('GET', `/_control/calls?reference=${reference}`);
  expect(Math.abs(Date.parse(body.calls[0].at) - Date.now())).toBeLessThan(60_000);
  expect((await rig.call('GET', '/_control/calls')).status).toBe(400);
});

test('stats count orders, calls and webhooks', async () => {
  await until(() => rig.sandbox.counters.orders.pending + rig.sandbox.counters.webhooks.pending === 0);
  const before = (await rig.call('GET', '/_control/stats')).body;
  await rig.submit(references[0]!);
  await rig.query(references[0]!);
  await rig.submit(rig.newReference(), { scenario: 'never_settles' });
  const { body } = await rig.call('GET', '/_control/stats');
  expect(body).toEqual({
    ...before,
    submits: before.submits + 2,
    queries: before.queries + 1,
    replays: before.replays + 1,
    orders: { ...before.orders, pending: 1 },
  });
  expect(body.outage).toBe('none');
});

test('the page names every scenario and control call, and escapes markup of callers', async () => {
  const { status, headers, body } = await rig.call('GET', '/');
  expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  for (const name of scenarioNames) expect(body).toContain(`<code>${name}</code>`);
  expect(body).toContain('/_control/outage');
  expect(body).toContain(references[0]);
  expect(body).not.toContain('<script');
});

/** Presses a button of the page, as a browser does. */
const press = (mode: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${rig.sandbox.url}/_control/outage`, {
    method: 'POST',
    body: new URLSearchParams({ mode }),
    headers: { 'sec-fetch-site': 'same-origin', ...headers },
    redirect: 'manual',
  });
const modeNow = async (): Promise<unknown> => (await rig.call('GET', '/_control/stats')).body.outage;

test('buttons of the page start and end an outage, forms of another site do not', async () => {
  const page = (await rig.call('GET', '/')).body as string;
  for (const mode of ['none', 'down', 'slow', 'errors'])
    expect(page).toContain(`<button name="mode" value="${mode}" aria-pressed="${mode === 'none'}">`);
  const pressed = await press('slow');
  expect([pressed.status, pressed.headers.get('location'), await modeNow()]).toEqual([303, '/', 'slow']);
  expect((await press('none')).status).toBe(303);
  expect([(await press('down', { 'sec-fetch-site': 'cross-site' })).status, await modeNow()]).toEqual([
    400,
    'none',
  ]);
  expect([(await press('sideways')).status, await modeNow()]).toEqual([400, 'none']);
});

test('the health check answers, and an unknown path is 404', async () => {
  expect((await rig.call('GET', '/healthz')).body).toEqual({ ok: true });
  expect((await rig.call('GET', '/_control/nothing')).status).toBe(404);
  expect((await rig.call('POST', '/_control/outage', { text: '{' })).status).toBe(400);
});
