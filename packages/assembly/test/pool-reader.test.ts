import { expect, test } from '@jest/globals';
import { openPoolReader } from '../src/index.js';

type Deps = Parameters<typeof openPoolReader>[0];

/**
 * Reads the pools once, through a provider that answers with this outcome and these calls. Returns what was logged and
 * what was stored.
 */
async function readOnce(outcome: object, calls: readonly object[]) {
  const logged: Record<string, unknown>[] = [];
  const stored: object[] = [];
  const asked: string[] = [];
  const deps = {
    pools: {
      wanted: async () => ['CNY', 'JPY'],
      record: async (pool: object) => stored.push(pool) - stored.length,
    },
    provider: {
      ...{ name: 'alibaba_cloud', account: 'main' },
      balance: {
        currencies: ['CNY'],
        read: async (currency: string) => {
          asked.push(currency);
          return { outcome: { ...outcome, currency }, calls };
        },
      },
    },
    log: { warn: (fields: Record<string, unknown>) => void logged.push(fields), info: () => {} },
  };
  // The first reading of a process is made at its start.
  await openPoolReader({ ...deps, providerAccount: 'main' } as unknown as Deps)!();
  return { logged, stored, asked };
}

test('a key of another site is told by its code with the first reading, and nothing is stored', async () => {
  const refused = { kind: 'not_executed', cause: 'unavailable' };
  const { logged, stored } = await readOnce(refused, [{ providerCode: 'AuthSiteFail', httpStatus: 403 }]);
  expect(logged).toHaveLength(2);
  expect(logged[0]).toMatchObject({ code: 'AuthSiteFail', providerAccount: 'main', currency: 'CNY' });
  expect(stored).toEqual([]);
});

test('a reading that the breaker kept from being made has no code', async () => {
  const { logged } = await readOnce({ kind: 'not_executed', cause: 'unavailable' }, []);
  expect(logged[0]).toMatchObject({ code: null });
});

test('each currency is read once, and stored', async () => {
  const { logged, stored, asked } = await readOnce({ kind: 'read', amountMinor: 5n }, []);
  expect([asked, logged]).toEqual([['CNY', 'JPY'], []]);
  expect(stored).toMatchObject([{ currency: 'CNY', transferableMinor: 5n }, { currency: 'JPY' }]);
});
