import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey, RechargeView } from '@replenish/domain';
import { type Answer, bearer, created, end, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;

beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const list = (query: Record<string, string> | string, by = key, headers = {}): Promise<Answer> =>
  ingress.call('GET', `/v1/recharges?${new URLSearchParams(query)}`, { key: by, headers });
const idsOf = ({ body }: Answer): string[] => body.data.map(({ transactionId }) => String(transactionId));

async function walk(query: Record<string, string>, by: NewKey): Promise<string[][]> {
  const pages: string[][] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Answer = await list({ ...query, ...(cursor && { cursor }) }, by);
    pages.push(idsOf(page));
    cursor = page.body.nextCursor;
  }
  return pages;
}

test('pages of ten list each of 25 recharges once, newest first', async () => {
  const own = await ingress.client();
  expect((await list('', own)).body).toEqual({ data: [], nextCursor: null });
  const made = await Promise.all(Array.from({ length: 25 }, () => created(ingress, own)));
  const placeOf = ({ createdAt, id }: RechargeView) => `${createdAt.toISOString()} ${id}`;
  const newestFirst = made.sort((a, b) => (placeOf(a) < placeOf(b) ? 1 : -1)).map(({ id }) => id);
  const pages = await walk({ limit: '10' }, own);
  expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
  expect(pages.flat()).toEqual(newestFirst);
  expect((await walk({ limit: '25' }, own)).length).toBe(1);
  expect((await walk({ limit: '1' }, own)).flat()).toEqual(newestFirst);
  expect(idsOf(await list('', own))).toEqual(newestFirst.slice(0, 20));
});

test('new recharges do not shift the following pages', async () => {
  const own = await ingress.client();
  const made = await Promise.all(Array.from({ length: 4 }, () => created(ingress, own)));
  const first = await list({ limit: '2' }, own);
  await created(ingress, own);
  const second = await list({ limit: '2', cursor: first.body.nextCursor! }, own);
  expect([...idsOf(first), ...idsOf(second)].sort()).toEqual(made.map(({ id }) => id).sort());
});

let some: Record<'created' | 'canceled' | 'submitted' | 'succeeded' | 'failed', RechargeView>;

beforeAll(async () => {
  const of = (orderReference: string, accountId = 'acct-1') =>
    created(ingress, key, { orderReference, accountId });
  some = {
    created: await of('PO_1'),
    canceled: await of('PO-1'),
    submitted: await of('%'),
    succeeded: await of(`a,"b" 'c'`, 'acct-2'),
    failed: await of(`=cmd|' /C calc'!A0`, 'acct.1'),
  };
  const told = { source: 'submission', reason: 'told' } as const;
  await ingress.call('POST', `/v1/recharges/${some.canceled.id}/cancel`, { key });
  await ingress.domain.applyNews({ ...told, transactionId: some.submitted.id, news: 'submit' });
  await end(ingress, some.succeeded, 'settled');
  await end(ingress, some.failed, 'declined');
});

test.each([
  [{}, ['failed', 'succeeded', 'submitted', 'canceled', 'created']],
  [{ accountId: 'acct-1' }, ['submitted', 'canceled', 'created']],
  [{ accountId: 'acct.1' }, ['failed']],
  [{ accountId: 'acct-3' }, []],
  [{ status: 'accepted' }, ['created']],
  [{ status: 'in_progress' }, ['submitted']],
  [{ status: 'succeeded' }, ['succeeded']],
  [{ status: 'failed' }, ['failed']],
  [{ status: 'canceled' }, ['canceled']],
  [{ orderReference: 'PO_1' }, ['created']],
  [{ orderReference: '%' }, ['submitted']],
  [{ orderReference: `a,"b" 'c'` }, ['succeeded']],
  [{ orderReference: `' or 1=1 --` }, []],
  [{ accountId: 'acct-1', status: 'canceled', orderReference: 'PO-1' }, ['canceled']],
  [{ accountId: 'acct-2', status: 'canceled' }, []],
] as const)('%j finds %j', async (query, found) => {
  expect(idsOf(await list(query))).toEqual(found.map((name) => some[name].id));
});

test('createdFrom is inclusive, createdTo is not', async () => {
  const createdFrom = some.canceled.createdAt.toISOString();
  const createdTo = some.succeeded.createdAt.toISOString();
  const found = idsOf(await list({ createdFrom, createdTo }));
  expect(found).toEqual([some.submitted.id, some.canceled.id]);
  const inShanghai = new Date(some.canceled.createdAt.getTime() + 8 * 3_600_000).toISOString();
  expect(idsOf(await list({ createdFrom: inShanghai.replace('Z', '+08:00'), createdTo }))).toEqual(found);
});

test.each([
  ...['-1', '0', '101', '1e9', 'NaN', '', '1.5', ' 5', '0x5', '999'].map(
    (limit) => ['limit', { limit }] as const,
  ),
  ...['x', 'A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}+`, '../../etc', "' or 1=1 --"].map(
    (cursor) => ['cursor', { cursor }] as const,
  ),
  ['accountId', { accountId: '%' }],
  ['accountId', { accountId: '' }],
  ['status', { status: 'CREATED' }],
  ['status', { status: 'constructor' }],
  ['orderReference', { orderReference: '' }],
  ['orderReference', { orderReference: 'a\u0000' }],
  ['orderReference', { orderReference: 'r'.repeat(256) }],
  ['createdFrom', { createdFrom: 'yesterday' }],
  ['createdTo', { createdTo: '0000-01-01T00:00:00Z' }],
  ['accountID', { accountID: 'acct-1' }],
  ['toString', { toString: 'x' }],
  ['limit', 'limit=1&limit=2'],
  ['accountId[]', 'accountId[]=acct-1'],
] as const)('a query whose %s is wrong is refused: %j', async (path, query) => {
  const answer = await list(query as Record<string, string>);
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([expect.objectContaining({ path })]);
});

test('a page of 1,000 rows is refused with the numbers that are allowed', async () => {
  const { errors } = (await list({ limit: '1000' })).body;
  expect(errors).toEqual([{ path: 'limit', message: 'must be a whole number from 1 to 100' }]);
});

test("an invented cursor shows only the client's own rows", async () => {
  const other = await ingress.client();
  await created(ingress, other);
  const all = idsOf(await list(''));
  expect(idsOf(await list({ cursor: '_'.repeat(22) }))).toEqual(all);
  expect(idsOf(await list({ cursor: 'A'.repeat(22) }))).toEqual([]);
});

test('formulas are escaped in CSV', async () => {
  const answer = await list({ limit: '2' }, key, { accept: 'text/csv' });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(answer.headers.get('content-disposition')).toBe('attachment; filename="recharges.csv"');
  const json = await list({ limit: '2' });
  expect(answer.headers.get('x-next-cursor')).toBe(json.body.nextCursor);
  const [head, ...rows] = answer.text.split('\n');
  expect(head).toMatch(/^transactionId,status,state,accountId,amount,currency,/);
  expect(rows).toHaveLength(3);
  expect(rows[0]).toContain(`,acct.1,4999,USD,sandbox,sandbox,sbx_${some.failed.id},'=cmd|' /C calc'!A0,`);
  expect(rows[0]).toContain(`,PAYMENT_FAILED,{},${some.failed.createdAt.toISOString()},`);
  expect(rows[1]).toContain(`,"a,""b"" 'c'",`);
  expect(rows[2]).toBe('');
});

test('CSV begins with a byte order mark only for a caller that asks for one', async () => {
  const get = async (accept: string) => {
    const response = await fetch(`${ingress.url}/v1/recharges?limit=1`, {
      headers: { authorization: bearer(key), accept },
    });
    expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    return Buffer.from(await response.arrayBuffer())
      .toString('latin1')
      .slice(0, 4);
  };
  for (const accept of [
    'text/csv',
    'text/csv; charset=utf-8',
    'text/csv;header=present',
    'text/csv, */*;bom=present',
  ])
    expect([accept, await get(accept)]).toEqual([accept, 'tran']);
  for (const accept of [
    'text/csv; bom=present',
    'text/csv;header=present;BOM="present"',
    'text/csv;bom=present;q=0.9',
  ])
    expect([accept, await get(accept)]).toEqual([accept, '\u00ef\u00bb\u00bft']);
});

test.each(['=1+1', '+1', '-1', '@sum(A1)'])(
  'a cell that begins like %s is escaped',
  async (orderReference) => {
    await created(ingress, key, { orderReference, metadata: { note: '=1+1' } });
    const { text } = await list({ orderReference }, key, { accept: 'text/csv' });
    expect(text).toContain(`,'${orderReference},`);
    expect(text).toContain(',"{""note"":""=1+1""}",');
  },
);
