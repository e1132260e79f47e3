import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { openDatabase, type Store } from '../../src/store/database/database.js';
import { openCases } from '../../src/store/statements/differences.js';
import { linesIn, partsOf, rechargesIn } from '../../src/store/statements/parts.js';
import { type Books, openBooks, recharged } from '../support/books.js';

const HOUR_MS = 3_600_000;
const LINES = 9;
const RECHARGES = 5;

let books: Books;
let store: Store;
beforeAll(async () => {
  books = await openBooks();
  store = openDatabase({ databaseUrl: books.url, poolMax: 2, onConnectionLost: () => {} });
});
afterAll(async () => {
  await store.close();
  await books.close();
});

const periodOf = (provider: string) => ({
  ...{ provider, providerAccount: 'main' },
  ...{ from: new Date(Date.now() - HOUR_MS), to: new Date(Date.now() + HOUR_MS) },
});

/** Lines without a recharge, three of a microsecond each, and succeeded recharges without a line. */
async function different(provider: string): Promise<void> {
  for (let n = 0; n < RECHARGES; n++) await recharged(books.domain, { provider }, 'submit', 'settled');
  await books.rows(
    `insert into statement_line (id, provider, provider_account, line_key, line, at, direction, amount_minor, currency)
     select gen_random_uuid(), $1, 'main', n::text, n::text, now() + n / 3 * interval '1 microsecond', 'in', 100, 'USD'
     from generate_series(0, ${LINES - 1}) n`,
    [provider],
  );
}

test.each([1, 2, 3, 4, 9, 10])(
  'parts of %i have each line and each recharge of a period once',
  async (partMax) => {
    const period = periodOf(`parts-${partMax}`);
    await different(period.provider);
    const lines: string[][] = [];
    for await (const part of partsOf(store.run, period, 'lines', partMax)) {
      const { text, values } = linesIn(part);
      const rows = await books.rows<{ line: string }>(
        `select line from statement_line line where ${text}`,
        values,
      );
      lines.push(rows.map(({ line }) => line));
    }
    expect(lines.every((part) => part.length <= partMax)).toBe(true);
    expect(lines.flat().map(Number).sort()).toEqual(Array.from({ length: LINES }, (_, n) => n));
    const recharges: string[] = [];
    for await (const part of partsOf(store.run, period, 'recharges', partMax)) {
      const { text, values } = rechargesIn(part);
      const rows = await books.rows<{ id: string; provider: string }>(
        `select id, provider from recharge_transaction recharge where ${text}`,
        values,
      );
      expect(rows.length).toBeLessThanOrEqual(partMax);
      recharges.push(...rows.filter(({ provider }) => provider === period.provider).map(({ id }) => id));
    }
    expect(new Set(recharges).size).toBe(RECHARGES);
    expect(recharges).toHaveLength(RECHARGES);
  },
);

test.each([1, 3, 100])('differences in parts of %i all get their case, and once', async (partMax) => {
  const period = periodOf(`cases-${partMax}`);
  await different(period.provider);
  const open = () => openCases(store.run, period, { newId: uuidv7, partMax });
  expect(await open()).toBe(LINES + RECHARGES);
  expect(await open()).toBe(0);
});
