import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { exponentOf, mayBeBooked } from '@replenish/domain/rules';
import { aRecharge, create, type Ingress, openIngress } from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
beforeAll(async () => {
  ingress = await openIngress();
});
afterAll(() => ingress.close());

const every = Array.from({ length: 26 ** 3 }, (_, nth) =>
  [nth / 676, (nth / 26) % 26, nth % 26].map((one) => String.fromCharCode(65 + Math.floor(one))).join(''),
);

/** Table A.1 of ISO 4217 without funds, metals, units of account and test codes. */
const written: Readonly<Record<number, readonly string[]>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF'.split(' '),
  3: 'BHD IQD JOD KWD LYD OMR TND'.split(' '),
};

test('the currencies and their decimals are those of the list', () => {
  const taken = every.filter((code) => exponentOf(code) !== undefined);
  expect(taken).toHaveLength(155);
  for (const digits of [0, 3])
    expect(taken.filter((code) => exponentOf(code) === digits)).toEqual(written[digits]);
  expect(new Set(taken.map(exponentOf))).toEqual(new Set([0, 2, 3]));
});

test("Node's data agrees about the accepted currencies", () => {
  // Currencies that the data of some releases of Node lack.
  const missing = new Set(['VED', 'XCG', 'ZWG', 'SLE']);
  const known = new Set(Intl.supportedValuesOf('currency'));
  expect(
    every.filter((code) => exponentOf(code) !== undefined && !known.has(code) && !missing.has(code)),
  ).toEqual([]);
});

test.each(['XCG', 'SLE', 'ZWG', 'VED', 'VES', 'MRU', 'STN', 'BYN', 'EUR', 'CNY', 'CHF'])(
  '%s is accepted',
  (code) => expect(exponentOf(code)).toEqual(expect.any(Number)),
);

test.each([
  ...['ANG', 'BGN', 'BYR', 'CUC', 'HRK', 'MRO', 'SLL', 'STD', 'VEF', 'ZWL', 'DEM', 'LTL'],
  ...['BOV', 'CHE', 'CHW', 'CLF', 'COU', 'MXV', 'USN', 'USS', 'UYI', 'UYW'],
  ...['XAU', 'XAG', 'XPT', 'XPD', 'XDR', 'XSU', 'XUA', 'XAD', 'XBA', 'XTS', 'XXX', 'BTC', 'usd', 'US', ''],
])('a recharge in %s is refused', async (currency) => {
  expect(exponentOf(currency)).toBeUndefined();
  const key = await ingress.client();
  const answer = await create(ingress, key, aRecharge({ currency }));
  expectProblem(answer, 400, 'INVALID_ARGUMENT');
  expect(answer.body.errors).toEqual([{ path: 'currency', message: expect.stringMatching(/ISO 4217/) }]);
});

test('a withdrawn currency is refused with the name of its successor, and its balance can be read', async () => {
  const key = await ingress.client();
  const refused = await create(ingress, key, aRecharge({ currency: 'BGN' }));
  expect(refused.body.errors[0]!.message).toBe('BGN was withdrawn from ISO 4217; use EUR');
  for (const path of ['/v1/account/balance?accountId=a&currency=BGN', '/v1/accounts/a/ledger?currency=CLF'])
    expect((await ingress.call('GET', path, { key })).status).toBe(200);
  expect([mayBeBooked('BGN'), mayBeBooked('XAU')]).toEqual([true, false]);
});
