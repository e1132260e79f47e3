import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { linksIn, openConsoleOnBooks, type ServedConsole } from './support/console.js';

let served: ServedConsole;
beforeAll(async () => {
  served = await openConsoleOnBooks();
});
afterAll(() => served.close());

test('the page of a recharge leads to a file with all that is on record about it', async () => {
  const id = await served.recharge({}, ['submit'], ['settled']);
  const path = `/recharges/${id}/evidence`;
  expect(linksIn(await served.get(`/recharges/${id}`, 'viewer'))).toContain(path);
  const { status, text, headers } = await served.get(path, 'viewer');
  expect([status, headers.get('content-disposition')]).toEqual([
    200,
    `attachment; filename=evidence-${id}.json`,
  ]);
  expect(JSON.parse(text)).toMatchObject({ transactionId: id, recharge: { state: 'SUCCEEDED' } });
  expect((await served.get('/recharges/none/evidence')).status).toBe(404);
});
