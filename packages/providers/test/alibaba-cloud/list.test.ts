import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readList } from '../../src/alibaba-cloud/list.js';
import type { CloudRpc, RpcExchange } from '../../src/alibaba-cloud/rpc.js';
import { soon } from '../support/builders.js';

const window = { accountId: 'fa-main', from: new Date(0), to: new Date(1) };

const row = (number: string) => ({
  ...{ TransactionNumber: number, TransactionDirection: 'OUT', TransactionAmount: '1.00', Currency: 'CNY' },
  ...{ TransactionTime: '2026-11-28 08:00:00', Remark: 'r' },
});

/** A list whose rows change before each page, as `changes` say. A page of the list is a slice of what is there then. */
function movingList(numbers: string[], changes: readonly ((list: string[]) => void)[]): CloudRpc {
  let asked = 0;
  return {
    async call({ query }): Promise<RpcExchange> {
      if (asked > 0) changes[asked - 1]?.(numbers);
      asked++;
      const [page, size] = [Number(query!.CurrentPage), Number(query!.PageSize)];
      const Data = numbers.slice((page - 1) * size, page * size).map(row);
      return { kind: 'answered', json: { TotalCount: String(numbers.length), Data } };
    },
  };
}

const numbered = (count: number) => Array.from({ length: count }, (_, nth) => String(1_000 + nth));

test('rows that become visible while pages are read hide none of the rows that were there', () => {
  const position = fc.double({ min: 0, max: 1, noNaN: true });
  return fc.assert(
    fc.asyncProperty(
      fc.nat(30),
      fc.array(position, { maxLength: 20 }),
      fc.integer({ min: 1, max: 7 }),
      async (count, inserts, size) => {
        const changes = inserts.map((at, nth) => (list: string[]) => {
          list.splice(Math.floor(at * list.length), 0, String(5_000 + nth));
        });
        const there = numbered(count);
        const reading = await readList(movingList([...there], changes), window, soon(), size);
        if (reading.isComplete) for (const number of there) expect(reading.rows.has(number)).toBe(true);
      },
    ),
  );
});

test('any changes at all never lead to a complete reading without a row that stayed', () => {
  const change = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), isRemoval: fc.boolean() });
  return fc.assert(
    fc.asyncProperty(
      fc.nat(20),
      fc.array(change, { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (count, steps, size) => {
        const there = numbered(count);
        const list = [...there];
        const changes = steps.map(({ at, isRemoval }, nth) => (now: string[]) => {
          const place = Math.floor(at * now.length);
          if (isRemoval) now.splice(place, 1);
          else now.splice(place, 0, String(5_000 + nth));
        });
        const reading = await readList(movingList(list, changes), window, soon(), size);
        if (!reading.isComplete) return;
        for (const number of there) if (list.includes(number)) expect(reading.rows.has(number)).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

test('a list that grows by one row is complete after the pass in which it stands still', async () => {
  const grows = (list: string[]) => {
    if (!list.includes('9')) list.unshift('9');
  };
  const reading = await readList(movingList(numbered(5), [grows, grows]), window, soon(), 2);
  expect(reading).toMatchObject({ isComplete: true, failure: null });
  expect(reading.rows.size).toBe(6);
});

test('rows that change places between two pages are not taken for all rows', async () => {
  // Rows 2 and 3 change places after the first page, so that page two has row 2 again, and row 3 is on no page.
  const swap = (list: string[]) => {
    list.splice(1, 2, list[2]!, list[1]!);
  };
  const still = () => {};
  const reading = await readList(
    movingList(numbered(4), [swap, still, swap, still, swap]),
    window,
    soon(),
    2,
  );
  expect(reading.rows.size).toBe(4);
  expect(reading.pages).toBeGreaterThan(2);
});

test('a list that stands still is complete after one pass', async () => {
  const reading = await readList(movingList(numbered(7), []), window, soon(), 3);
  expect(reading).toMatchObject({ isComplete: true, pages: 3, failure: null });
  expect(reading.rows.size).toBe(7);
});

test('an empty list is complete', async () => {
  expect(await readList(movingList([], []), window, soon())).toMatchObject({ isComplete: true, pages: 1 });
});

test.each<[string, unknown]>([
  ['no total', { Data: [] }],
  ['a row without its number', { TotalCount: '1', Data: [{ ...row('1'), TransactionNumber: undefined }] }],
  [
    'a row with an unreadable amount',
    { TotalCount: '1', Data: [{ ...row('1'), TransactionAmount: '1,00' }] },
  ],
  [
    'a row with another form of time',
    { TotalCount: '1', Data: [{ ...row('1'), TransactionTime: '1700000000' }] },
  ],
])('%s makes the reading incomplete', async (_what, json) => {
  const rpc: CloudRpc = { call: async () => ({ kind: 'answered', json }) };
  expect(await readList(rpc, window, soon())).toMatchObject({
    isComplete: false,
    failure: { kind: 'unknown', cause: 'unreadable' },
  });
});

test('a total that the pages do not have makes the reading incomplete', async () => {
  const rpc: CloudRpc = {
    call: async () => ({ kind: 'answered', json: { TotalCount: '3', Data: [row('1'), row('2')] } }),
  };
  expect(await readList(rpc, window, soon())).toMatchObject({ isComplete: false, failure: null });
});

test('a refused question is no answer about the order, whatever its code says of a write', async () => {
  const rpc: CloudRpc = {
    call: async () => ({ kind: 'refused', status: 400, code: 'InvalidParameter', message: '' }),
  };
  expect(await readList(rpc, window, soon())).toMatchObject({
    isComplete: false,
    failure: { kind: 'unknown', code: 'InvalidParameter' },
  });
});
