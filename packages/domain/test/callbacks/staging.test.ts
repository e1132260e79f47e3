import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { CallbackPost, EndpointWithSecret, NewRecharge } from '../../src/index.js';
import {
  type Books,
  CLIENT,
  newRecharge,
  OTHER_CLIENT,
  openBooks,
  recharged,
  reportOf,
} from '../support/books.js';
import { caseSteps, late } from '../support/cases.js';

const masterKeys = `test:${Buffer.alloc(32, 9).toString('base64')}`;
const isRefunding = () => true;

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.closeDomains();
  books = { ...books, domain: books.open({ masterKeys, lanedProviders: ['alibaba_cloud'] }) };
});
afterAll(() => books.close());

const endpoint = async (over: object = {}): Promise<string> => {
  const asked = {
    clientId: CLIENT,
    url: 'https://93.184.216.34/',
    events: [],
    accounts: ['%'],
    idempotencyKey: null,
  };
  const made = await books.domain.callbacks.createEndpoint({ ...asked, ...over });
  return (made as EndpointWithSecret).endpoint.id;
};
const report = (id: string, news: Parameters<typeof reportOf>[1], over: object = {}) =>
  books.domain.applyNews(reportOf(id, news, { source: 'webhook', ...over }));
const staged = (of: string) =>
  books.rows<{ type: string; version: string }>(
    'select type, version from callback_event where subject = $1 order by seq',
    [of],
  );
const typesOf = async (of: string) => (await staged(of)).map(({ type }) => type);
const arrived = { httpStatus: 200, error: null, durationMs: 1, retryAfterMs: null };

/** Takes and files all due deliveries of a lane, in the order in which they are claimed. */
async function drained(lane: string): Promise<CallbackPost[]> {
  const all: CallbackPost[] = [];
  for (;;) {
    const posts = await books.domain.callbacks.take(lane, { leaseMs: 60_000, max: 8, isRefunding });
    if (posts.length === 0) return all;
    for (const post of posts) await books.domain.callbacks.file(post, arrived, { status: 'delivered' });
    all.push(...posts);
  }
}

test('nothing is staged where nobody listens', async () => {
  const id = await recharged(books.domain, { amountMinor: 100n });
  for (const news of ['submit', 'settled'] as const) await report(id, news);
  expect(await books.rows('select 1 from callback_event')).toEqual([]);
  expect(await books.rows('select 1 from callback_delivery')).toEqual([]);
});

test('each step is staged once for an endpoint of the client, and for no other client', async () => {
  const lane = await endpoint();
  const foreign = await recharged(books.domain, { clientId: OTHER_CLIENT });
  const id = await recharged(books.domain, { amountMinor: 100n });
  for (const news of ['submit', 'accepted', 'settled', 'settled'] as const) await report(id, news);
  expect(await typesOf(foreign)).toEqual([]);
  expect(await typesOf(id)).toEqual(['recharge.accepted', 'recharge.in_progress', 'recharge.succeeded']);
  const posts = (await drained(lane)).filter(({ content }) => content.about === 'recharge');
  expect(posts.map(({ content }) => content.about === 'recharge' && content.recharge.state)).toEqual([
    'CREATED',
    'SUBMITTED',
    'SUCCEEDED',
  ]);
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});

test('an endpoint hears the types and the accounts that it asked for', async () => {
  const typed = await endpoint({ events: ['recharge.canceled'] });
  const narrow = await endpoint({ accounts: ['acct-1%'] });
  const [mine, other] = [
    await recharged(books.domain, { accountId: 'acct-10' }),
    await recharged(books.domain, { accountId: 'acct-2' }),
  ];
  for (const id of [mine, other]) await report(id, 'withdraw', { source: 'client' });
  const heard = async (of: string) =>
    await books.rows(
      'select transaction_id as id, type from callback_delivery where endpoint_id = $1 order by seq',
      [of],
    );
  expect(await heard(typed)).toEqual([
    { id: mine, type: 'recharge.canceled' },
    { id: other, type: 'recharge.canceled' },
  ]);
  expect(await heard(narrow)).toEqual([
    { id: mine, type: 'recharge.accepted' },
    { id: mine, type: 'recharge.canceled' },
  ]);
  for (const id of [typed, narrow]) await books.domain.callbacks.removeEndpoint(CLIENT, id);
});

test('a collect with a payee has succeeded once its delivery has, and the delivery has no events', async () => {
  const lane = await endpoint();
  await books.domain.payees.set(
    {
      ...{ accountId: 'acct-cloud', provider: 'alibaba_cloud', providerAccount: 'main' },
      ...{ from: null, to: 'fa-7', currency: 'USD' },
    },
    'tester',
  );
  const whole = async (end: 'settled' | 'declined') => {
    const ask: NewRecharge = newRecharge({ accountId: 'acct-cloud', amountMinor: 100n });
    await books.domain.createRecharge(ask);
    for (const news of ['submit', 'settled'] as const) await report(ask.id, news);
    const { delivery } = (await books.domain.reads.recharge(ask.id))!;
    const before = await typesOf(ask.id);
    for (const news of ['submit', end] as const) await report(delivery!.id, news);
    return { before, after: await staged(ask.id), ofDelivery: await typesOf(delivery!.id) };
  };
  const good = await whole('settled');
  expect(good.before).toEqual(['recharge.accepted', 'recharge.in_progress']);
  expect(good.after.map(({ type }) => type)).toEqual([...good.before, 'recharge.succeeded']);
  expect(good.ofDelivery).toEqual([]);
  const versions = good.after.map(({ version }) => Number(version));
  expect(new Set(versions).size).toBe(3);
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect((await whole('declined')).after.at(-1)).toMatchObject({ type: 'recharge.failed' });
  const bodies = (await drained(lane)).map(
    ({ content }) => content.about === 'recharge' && content.recharge.delivery,
  );
  expect(bodies).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ state: 'SUCCEEDED' }),
      expect.objectContaining({ state: 'FAILED' }),
    ]),
  );
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});

test('the opening and the closing of a case are told, after the events of its recharge', async () => {
  const lane = await endpoint();
  const { withCase, resolve } = caseSteps(books);
  const { id, caseId } = await withCase({}, ...late);
  await resolve(caseId, 'adopt');
  expect(await typesOf(id)).toEqual([
    ...['recharge.accepted', 'recharge.in_progress', 'recharge.failed', 'case.opened'],
    ...['case.closed', 'recharge.succeeded'],
  ]);
  const cases = (await drained(lane)).flatMap(({ content }) =>
    content.about === 'case' ? [content.one] : [],
  );
  expect(cases).toMatchObject([
    { id: caseId, kind: 'late_money', closedAt: null, resolution: null },
    { id: caseId, verbs: [], resolution: { verb: 'adopt' } },
  ]);
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});

test('a refund is told when it ends', async () => {
  const lane = await endpoint({ events: ['refund.succeeded', 'refund.failed'] });
  const id = await recharged(books.domain, { amountMinor: 100n });
  for (const news of ['submit', 'settled'] as const) await report(id, news);
  const refund = '01a2122d-0000-7000-8000-1ae329a0e1aa';
  const asked = {
    of: id,
    clientId: CLIENT,
    idempotencyKey: 'r-1',
    amountMinor: null,
    reason: 'twice',
    correlationId: 'c',
  };
  await books.domain.createRefund({ id: refund, ...asked });
  for (const news of ['submit', 'settled'] as const) await report(refund, news);
  expect(await typesOf(refund)).toEqual(['refund.succeeded']);
  const [post] = await drained(lane);
  expect(post!.content).toMatchObject({ about: 'recharge', reason: 'twice', recharge: { refundOf: id } });
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});

test('a later event waits for an earlier one of its recharge, and for none of another', async () => {
  const lane = await endpoint();
  const [one, two] = [await recharged(books.domain, {}), await recharged(books.domain, {})];
  await report(one, 'withdraw', { source: 'client' });
  const take = () => books.domain.callbacks.take(lane, { leaseMs: 60_000, max: 8, isRefunding });
  const first = await take();
  expect(
    first.map(({ content, type }) => [content.about === 'recharge' && content.recharge.id, type]),
  ).toEqual([
    [one, 'recharge.accepted'],
    [two, 'recharge.accepted'],
  ]);
  const failed = { ...arrived, httpStatus: 500, error: 'answered 500' };
  await books.domain.callbacks.file(first[0]!, failed, { status: 'pending', gapMs: 3_600_000 });
  expect(await take()).toEqual([]);
  const viewer = { clientId: CLIENT, accountPatterns: ['%'] };
  const replay = () => books.domain.callbacks.replay(viewer, first[0]!.id);
  for (const _ of [1, 2]) expect(await replay()).toMatchObject({ status: 'pending' });
  const [again] = await take();
  expect(again).toMatchObject({ id: first[0]!.id, eventId: first[0]!.eventId, tries: 0 });
  await books.domain.callbacks.file(again!, failed, { status: 'failed' });
  expect((await take()).map(({ type }) => type)).toEqual(['recharge.canceled']);
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});

test('an endpoint that is gone is disabled, and what waits for it is canceled', async () => {
  const lane = await endpoint();
  await recharged(books.domain, {});
  await recharged(books.domain, {});
  const [post] = await books.domain.callbacks.take(lane, { leaseMs: 60_000, max: 1, isRefunding });
  const gone = { ...arrived, httpStatus: 410, error: 'answered 410' };
  expect(await books.domain.callbacks.file(post!, gone, { status: 'gone' })).toEqual({
    disabledBecause: 'GONE',
  });
  expect(await books.domain.callbacks.endpoint(CLIENT, lane)).toMatchObject({
    status: 'disabled',
    disabledBecause: 'GONE',
  });
  const statuses = await books.rows('select status from callback_delivery where lane = $1 order by seq', [
    lane,
  ]);
  expect(statuses).toEqual([{ status: 'failed' }, { status: 'canceled' }]);
  await recharged(books.domain, {});
  expect(await books.rows('select 1 from callback_delivery where lane = $1', [lane])).toHaveLength(2);
});

test('one receiver is due once, however many events wait for it, and again when its hint is lost', async () => {
  const lane = await endpoint();
  for (let n = 0; n < 5; n++) await recharged(books.domain, {});
  const due = async () =>
    (await books.domain.takeDue(100, { what: 'callback', isSlow: false })).map(({ id }) => id);
  expect(await due()).toContain(lane);
  expect(await due()).not.toContain(lane);
  await books.domain.putBack([{ what: 'callback', isSlow: false, id: lane }]);
  expect(await due()).toContain(lane);
  await drained(lane);
  await books.domain.callbacks.release(lane);
  expect(await due()).not.toContain(lane);
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});

test('events of rules and plans are staged with a body of their own', async () => {
  const lane = await endpoint();
  const subject = '01a2122d-0000-7000-8000-1ae329a0e1bb';
  await books.rows(
    `select stage_callback($1, 'acct-1', $2, null, 'rule.paused', 3, '{"data": {"ruleId": "r"}}')`,
    [CLIENT, subject],
  );
  const [post] = await drained(lane);
  expect(post!.content).toMatchObject({
    about: 'data',
    type: 'rule.paused',
    version: 3,
    data: { ruleId: 'r' },
  });
  await books.domain.callbacks.removeEndpoint(CLIENT, lane);
});
