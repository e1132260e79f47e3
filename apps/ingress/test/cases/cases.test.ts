import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { created, end, type Ingress, openIngress, type Row } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client({ name: 'desk' });
});
afterAll(async () => {
  expect(await ingress.domain.verify()).toEqual([]);
  await ingress.close();
});

/** A recharge of a key that failed and whose money came late. Returns its id and the id of its case. */
async function late(by = key, changes: Row = {}): Promise<{ id: string; caseId: string }> {
  const recharge = await created(ingress, by, changes);
  await end(ingress, recharge, 'declined');
  await end(ingress, recharge, 'settled');
  const { body } = await ingress.call('GET', `/v1/cases?transactionId=${recharge.id}`, { key: by });
  return { id: recharge.id, caseId: String(body.data[0]!.caseId) };
}

const adopt = { verb: 'adopt', reason: 'the statement shows it', evidence: { line: 7 } };
const resolve = (caseId: string, body: unknown, headers: Record<string, string> = {}, by = key) =>
  ingress.call('POST', `/v1/cases/${caseId}/resolutions`, {
    key: by,
    body,
    headers: { 'idempotency-key': randomUUID(), ...headers },
  });

test('a case shows its money, its evidence and its verbs, and adopt closes it', async () => {
  const { id, caseId } = await late();
  const { status, body } = await ingress.call('GET', `/v1/cases/${caseId}`, { key });
  expect(status).toBe(200);
  expect(body).toEqual({
    ...{ caseId, kind: 'late_money', transactionId: id, subject: id, amount: 4999, currency: 'USD' },
    ...{ openedAt: expect.any(String), closedAt: null, verbs: ['adopt', 'return'], resolution: null },
    evidence: expect.objectContaining({ news: 'settled', providerOrderId: `sbx_${id}` }),
  });
  const resolved = await resolve(caseId, adopt);
  expect([resolved.status, resolved.headers.get('idempotent-replayed')]).toEqual([200, null]);
  expect(resolved.body).toMatchObject({
    ...{ caseId, verbs: [], closedAt: expect.any(String), evidence: { given: { line: 7 } } },
    resolution: { verb: 'adopt', reason: adopt.reason, actor: `desk (${key.keyId})`, at: expect.any(String) },
  });
  const recharge = await ingress.call('GET', `/v1/recharges/${id}`, { key });
  expect(recharge.body).toMatchObject({ state: 'SUCCEEDED', status: 'succeeded', failure: null });
  const timeline = await ingress.call('GET', `/v1/recharges/${id}/timeline`, { key });
  expect(timeline.body.data.find(({ kind }) => kind === 'operator')).toEqual({
    ...{ at: expect.any(String), kind: 'operator', caseId, verb: 'adopt', role: 'client' },
    ...{ actor: `desk (${key.keyId})`, reason: adopt.reason },
  });
});

test('return makes a refund and hints it to its worker', async () => {
  const { id, caseId } = await late();
  expect((await resolve(caseId, { verb: 'return', reason: 'it is not ours' })).status).toBe(200);
  const { body } = await ingress.call('GET', `/v1/recharges/${id}/refunds`, { key });
  expect(body.data).toMatchObject([
    { kind: 'refund', amount: 4999, reason: expect.stringContaining('it is not ours') },
  ]);
  expect(ingress.hints.at(-1)).toEqual({ queue: 'submission-sandbox', ids: [body.data[0]!.transactionId] });
});

test('the same key and body have the same answer, another body is refused, and so is another key', async () => {
  const { caseId } = await late();
  const same = { 'idempotency-key': randomUUID() };
  const first = await resolve(caseId, adopt, same);
  const again = await resolve(caseId, adopt, same);
  expect([again.status, again.headers.get('idempotent-replayed'), again.body]).toEqual([
    200,
    'true',
    first.body,
  ]);
  expectProblem(await resolve(caseId, { ...adopt, reason: 'another' }, same), 422, 'DUPLICATE_REQUEST');
  expectProblem(await resolve(caseId, adopt), 409, 'INVALID_STATE');
  expectProblem(await resolve(caseId, { verb: 'dismiss', reason: 'a' }), 409, 'INVALID_STATE');
});

describe('refused is', () => {
  test.each([
    ['an unknown verb', { ...adopt, verb: 'pay' }, 'verb'],
    ['no reason', { ...adopt, reason: undefined }, 'reason'],
    ['no evidence', { ...adopt, evidence: undefined }, 'evidence'],
    ['evidence that says nothing', { ...adopt, evidence: {} }, 'evidence'],
    ['evidence that is a text', { ...adopt, evidence: 'line 7' }, 'evidence'],
    ['an unknown field', { ...adopt, amount: 1 }, 'amount'],
  ])('%s', async (_, body, field) => {
    const { caseId } = await late();
    const answer = await resolve(caseId, body);
    expectProblem(answer, 400, 'INVALID_ARGUMENT');
    expect(answer.body.errors.map(({ path }) => path)).toEqual([field]);
  });

  test('a request without a key', async () => {
    const { caseId } = await late();
    const path = `/v1/cases/${caseId}/resolutions`;
    expectProblem(await ingress.call('POST', path, { key, body: adopt }), 400, 'INVALID_ARGUMENT');
  });

  test('a verb that the case does not offer', async () => {
    const { caseId } = await late();
    expectProblem(await resolve(caseId, { ...adopt, verb: 'resubmit' }), 409, 'INVALID_STATE');
  });

  test('a case that is not there, or not for the key', async () => {
    const { caseId } = await late();
    const stranger = await ingress.client();
    const narrow = await ingress.client({ accounts: ['acct-2*'] });
    for (const [id, by] of [
      [randomUUID(), key],
      ['nonsense', key],
      [caseId, stranger],
      [caseId, narrow],
    ] as const) {
      expectProblem(await ingress.call('GET', `/v1/cases/${id}`, { key: by }), 404, 'NOT_FOUND');
      expectProblem(await resolve(id, adopt, {}, by), 404, 'NOT_FOUND');
    }
  });

  test('a key without the scope', async () => {
    const { caseId } = await late();
    const reader = await ingress.client({ scopes: ['cases:read'] });
    expectProblem(await resolve(caseId, adopt, {}, reader), 403, 'UNAUTHORIZED');
    const other = await ingress.client({ scopes: ['recharges:read'] });
    expectProblem(await ingress.call('GET', '/v1/cases', { key: other }), 403, 'UNAUTHORIZED');
  });
});

describe('the list', () => {
  test('pages through the cases of the client, newest first, by status and kind', async () => {
    const owner = await ingress.client();
    const made = [await late(owner), await late(owner), await late(owner)];
    await resolve(made[1]!.caseId, adopt, {}, owner);
    const idsOf = async (query: string) => {
      const { status, body } = await ingress.call('GET', `/v1/cases?${query}`, { key: owner });
      expect(status).toBe(200);
      return {
        ids: body.data.filter(({ transactionId }) => transactionId !== null).map((one) => one.caseId),
        body,
      };
    };
    const [oldest, closed, newest] = made.map(({ caseId }) => caseId);
    expect((await idsOf('')).ids).toEqual([newest, closed, oldest]);
    expect((await idsOf('status=open')).ids).toEqual([newest, oldest]);
    expect((await idsOf('status=closed')).ids).toEqual([closed]);
    expect((await idsOf('kind=wrong_amount')).ids).toEqual([]);
    expect((await idsOf(`transactionId=${made[0]!.id}`)).ids).toEqual([oldest]);
    const first = await idsOf('kind=late_money&limit=2');
    expect(first.ids).toEqual([newest, closed]);
    const rest = await idsOf(`kind=late_money&limit=2&cursor=${first.body.nextCursor}`);
    expect([rest.ids, rest.body.nextCursor]).toEqual([[oldest], null]);
  });

  test('shows cases of no transaction to keys for all accounts only', async () => {
    const event = { id: randomUUID(), provider: 'sandbox', eventId: 'evt-lost', rawBody: Buffer.from('{}') };
    await ingress.domain.inbox.keep({ ...event, correlationId: 'c' });
    await ingress.domain.inbox.fileUnmatched(event, { note: 'no such order' });
    const narrow = await ingress.client({ accounts: ['acct-*'] });
    const seenBy = async (by: NewKey) =>
      (await ingress.call('GET', '/v1/cases?kind=unknown_order', { key: by })).body.data;
    expect(await seenBy(narrow)).toEqual([]);
    const seen = await seenBy(key);
    expect(seen).toMatchObject([
      { subject: 'sandbox:evt-lost', transactionId: null, amount: null, verbs: ['dismiss'] },
    ]);
    const dismissed = await resolve(String(seen[0]!.caseId), { verb: 'dismiss', reason: 'a test event' });
    expect(dismissed.body).toMatchObject({ resolution: { verb: 'dismiss' } });
  });

  test.each(['status=half', 'kind=No', 'transactionId=x', 'limit=0', 'cursor=x', 'unknown=1'])(
    'refuses %s',
    async (query) => {
      expectProblem(await ingress.call('GET', `/v1/cases?${query}`, { key }), 400, 'INVALID_ARGUMENT');
    },
  );
});

test('XML has the roots resolution, case and cases', async () => {
  const { caseId } = await late();
  const xml = { 'content-type': 'application/xml', accept: 'application/xml' };
  const body =
    '<resolution><verb>adopt</verb><reason>a</reason><evidence><statement>line 7</statement></evidence></resolution>';
  const resolved = await resolve(caseId, body, xml);
  expect(resolved.status).toBe(200);
  expect(resolved.text).toContain(`<case><caseId>${caseId}</caseId>`);
  expect(resolved.text).toContain('<entry key="given"><entry key="statement">line 7</entry></entry>');
  const list = await ingress.call('GET', '/v1/cases', { key, headers: { accept: 'application/xml' } });
  expect(list.text).toContain('<cases><data><item><caseId>');
});
