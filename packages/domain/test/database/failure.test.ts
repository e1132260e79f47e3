import { expect, test } from '@jest/globals';
import { isContended, isUnavailable, persist, StoreUnavailable } from '../../src/store/database/failure.js';

const refused = (code: string, message = 'as tested') => Object.assign(new Error(message), { code });
const byPrisma = (cause: object) =>
  Object.assign(new Error('as tested'), { meta: { driverAdapterError: { cause } } });

test.each([
  ...[
    '08006',
    '53100',
    '53300',
    '55P03',
    '57014',
    '57P01',
    '57P03',
    '57P05',
    '58030',
    '25006',
    '25P03',
    '42P01',
    '42703',
    '42501',
  ].map((code) => refused(code)),
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ETIMEDOUT',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'ENOTFOUND',
    'EAI_AGAIN',
  ].map((code) => refused(code)),
  ...['P1001', 'P1017', 'P2024'].map((code) => refused(code)),
  byPrisma({ originalCode: '57P01' }),
  byPrisma({ kind: 'DatabaseNotReachable' }),
  new Error('Query read timeout'),
  new Error('Connection terminated unexpectedly'),
  new Error('timeout exceeded when trying to connect'),
  new Error('Cannot use a pool after calling end on the pool'),
])('%p is an outage', (error) => {
  expect(isUnavailable(error)).toBe(true);
});

test.each([
  refused('23514', 'account wallet:ECONNRESET:available would fall below zero'),
  refused('22P02', 'invalid input syntax: "Connection terminated"'),
  refused('P2002'),
  byPrisma({ originalCode: '23505', kind: 'UniqueConstraintViolation' }),
  new TypeError('cannot read properties of undefined'),
  'no Error at all',
])('%p is a fault of the statement', (error) => {
  expect(isUnavailable(error)).toBe(false);
});

test.each(['40001', '40P01', '0A000', '26000'])(
  'a statement that lost a race (%s) is sent again',
  async (code) => {
    let tries = 0;
    const statement = async () => {
      if (++tries < 3) throw refused(code);
      return 'done';
    };
    expect(await persist(statement)).toBe('done');
    expect(tries).toBe(3);
  },
);

test('a statement that loses every race is an outage, with its cause', async () => {
  const failure = await persist(() => Promise.reject(refused('40001'))).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailable);
  expect(failure).toMatchObject({ cause: { code: '40001' } });
});

test.each(['55P03', '57014'])(
  'a statement that met a time limit (%s) is not sent again, and does not count against other rows',
  async (code) => {
    let tries = 0;
    const failure = await persist(async () => {
      tries++;
      throw refused(code);
    }).catch((error: unknown) => error);
    expect(tries).toBe(1);
    expect(isContended(failure)).toBe(true);
    expect(isContended(new StoreUnavailable('as tested', { cause: refused('57P01') }))).toBe(false);
  },
);
