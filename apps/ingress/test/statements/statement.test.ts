import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import {
  type Answer,
  aRecharge,
  create,
  created,
  end,
  type Ingress,
  openIngress,
} from '../support/ingress.js';
import { expectProblem } from '../support/problem.js';

let ingress: Ingress;
let key: NewKey;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
});
afterAll(() => ingress.close());

const MONTH = new Date().toISOString().slice(0, 7);

const statement = (
  accountId: string,
  { month = MONTH, query = '', headers = {}, by = key }: Partial<Asked> = {},
): Promise<Answer> =>
  ingress.call('GET', `/v1/accounts/${accountId}/statements/${month}${query}`, { key: by, headers });
type Asked = { month: string; query: string; headers: Record<string, string>; by: NewKey };

async function fund(accountId: string, amount: number, changes: object = {}): Promise<string> {
  const recharge = await created(ingress, key, { accountId, amount, ...changes });
  await end(ingress, recharge, 'settled');
  return recharge.id;
}

/** An account with 1,000 in, 300 held and given back, and 200 held. */
async function account(accountId: string) {
  const collect = await fund(accountId, 1_000, { orderReference: '=PO-7 <b>' });
  const pay = (amount: number) => created(ingress, key, { accountId, amount, paymentMethod: 'balance' });
  const declined = await pay(300);
  await end(ingress, declined, 'declined');
  const held = await pay(200);
  return { collect, declined: declined.id, held: held.id };
}

describe('as JSON', () => {
  test('has the opening balance, the lines with their running balance, sums by kind, and the closing balance', async () => {
    const { collect, declined, held } = await account('acct-json');
    const { status, headers, body } = await statement('acct-json');
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json; charset=utf-8']);
    expect(headers.get('vary')).toBe('accept, accept-language');
    const line = (kind: string, transactionId: string, amount: number, balance: number, text: string) => ({
      ...{ at: expect.stringMatching(/Z$/), kind, transactionId, amount, balance, text },
    });
    expect(body).toEqual({
      accountId: 'acct-json',
      currency: 'USD',
      period: MONTH,
      timeZone: 'UTC',
      from: `${MONTH}-01T00:00:00.000Z`,
      to: expect.stringMatching(/-01T00:00:00.000Z$/),
      asOf: expect.any(String),
      opening: 0,
      lines: [
        line('collect', collect, 1_000, 1_000, 'Recharge, order =PO-7 <b>'),
        line('hold', declined, -300, 700, 'Held for a delivery'),
        line('reverse', declined, 300, 1_000, 'Hold of a delivery given back'),
        line('hold', held, -200, 800, 'Held for a delivery'),
      ],
      totals: [
        { kind: 'collect', amount: 1_000 },
        { kind: 'hold', amount: -500 },
        { kind: 'reverse', amount: 300 },
      ],
      closing: 800,
    });
  });

  test('is empty for a month before the first line, and opens with 0', async () => {
    await fund('acct-before', 5);
    const { status, body } = await statement('acct-before', { month: '2019-07' });
    expect([status, body.opening, body.lines, body.totals, body.closing]).toEqual([200, 0, [], [], 0]);
  });

  test('carries balances beyond 2^53 with all digits', async () => {
    for (const _ of [1, 2]) await fund('acct-large', 2 ** 53 - 1);
    expect((await statement('acct-large')).text).toContain('"closing":18014398509481982}');
  });

  test('answers HEAD without a body', async () => {
    await fund('acct-head', 5);
    const { status, text } = await ingress.call('HEAD', `/v1/accounts/acct-head/statements/${MONTH}`, {
      key,
    });
    expect([status, text]).toEqual([200, '']);
  });
});

describe('in other forms', () => {
  test('XML has the same fields', async () => {
    const { collect } = await account('acct-xml');
    const { headers, text } = await statement('acct-xml', { headers: { accept: 'application/xml' } });
    expect(headers.get('content-type')).toBe('application/xml; charset=utf-8');
    expect(text).toMatch(
      /^<\?xml version="1.0" encoding="UTF-8"\?>\n<statement><accountId>acct-xml<\/accountId><currency>USD/,
    );
    expect(text).toContain(
      `<kind>collect</kind><transactionId>${collect}</transactionId><amount>1000</amount><balance>1000</balance><text>Recharge, order =PO-7 &lt;b&gt;</text></item><item>`,
    );
    expect(text).toMatch(
      /<\/lines><totals><item><kind>collect<\/kind><amount>1000<\/amount><\/item>.*<closing>800<\/closing><\/statement>$/,
    );
  });

  test('CSV has a row per line between the opening and the closing balance', async () => {
    await account('acct-csv');
    const { headers, text } = await statement('acct-csv', { headers: { accept: 'text/csv' } });
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toBe(`attachment; filename="statement-acct-csv-${MONTH}.csv"`);
    const rows = text
      .trimEnd()
      .split('\n')
      .map((row) => row.split(','));
    expect(rows.map(([, kind, , amount, balance, currency]) => [kind, amount, balance, currency])).toEqual([
      ['kind', 'amount', 'balance', 'currency'],
      ['opening', '', '0', 'USD'],
      ['collect', '1000', '1000', 'USD'],
      ['hold', '-300', '700', 'USD'],
      ['reverse', '300', '1000', 'USD'],
      ['hold', '-200', '800', 'USD'],
      ['closing', '', '800', 'USD'],
    ]);
    const marked = await fetch(`${ingress.url}/v1/accounts/acct-csv/statements/${MONTH}`, {
      headers: { authorization: `Bearer ${key.keyId}.${key.secret}`, accept: 'text/csv; bom=present' },
    });
    expect([...new Uint8Array(await marked.arrayBuffer()).slice(0, 3)]).toEqual([0xef, 0xbb, 0xbf]);
  });

  test('a page prints the amounts in major units and in the language of the reader', async () => {
    await account('acct-page');
    const [english, chinese] = await Promise.all(
      ['en-GB,en;q=0.9', 'zh-CN,zh;q=0.9,en;q=0.8'].map((language) =>
        statement('acct-page', { headers: { accept: 'text/html', 'accept-language': language } }),
      ),
    );
    expect(english!.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(english!.headers.get('content-security-policy')).toMatch(/style-src 'sha256-[^']+'/);
    expect(english!.text).toContain('<html lang="en">');
    expect(english!.text).toContain('<td class="text">Recharge, order =PO-7 &lt;b&gt;</td>');
    expect(english!.text).toContain('<td class="number amount">-3.00</td>');
    expect(english!.text).toContain('@media print');
    expect([chinese!.headers.get('content-language'), chinese!.text.includes('账户对账单')]).toEqual([
      'zh',
      true,
    ]);
    expect(chinese!.text).toContain('<td class="text">划拨冻结</td>');
    expect(chinese!.text).toContain('<html lang="zh-CN">');
  });

  test('texts are English unless Chinese is asked for', async () => {
    await fund('acct-tongue', 5);
    const textIn = async (headers: Record<string, string>) => {
      const { body } = await statement('acct-tongue', { headers });
      return (body.lines as { text: string }[])[0]!.text;
    };
    expect(await textIn({})).toBe('Recharge');
    expect(await textIn({ 'accept-language': 'fr' })).toBe('Recharge');
    expect(await textIn({ 'accept-language': 'zh' })).toBe('充值');
  });
});

describe('is refused', () => {
  test.each(['2026-13', '2026-1', '26-01', '0000-01', '2026-01-01'])(
    'for %s, which is no month',
    async (month) => {
      expectProblem(await statement('acct-1', { month }), 400, 'INVALID_ARGUMENT');
    },
  );

  test('for a month that has not begun', async () => {
    expectProblem(await statement('acct-1', { month: '2999-01' }), 404, 'NOT_FOUND');
  });

  test('without a currency where the account has several, which are named', async () => {
    await fund('acct-several', 5, { currency: 'USD' });
    await fund('acct-several', 7, { currency: 'JPY' });
    const refused = await statement('acct-several');
    expectProblem(refused, 400, 'INVALID_ARGUMENT');
    expect(refused.body.errors).toEqual([
      { path: 'currency', message: 'is needed: the account has JPY, USD' },
    ]);
    expect((await statement('acct-several', { query: '?currency=JPY' })).body.closing).toBe(7);
  });

  test('for an account that nothing was posted to, unless a currency is named', async () => {
    expectProblem(await statement('acct-none'), 400, 'INVALID_ARGUMENT');
    const named = await statement('acct-none', { query: '?currency=EUR' });
    expect([named.status, named.body.lines, named.body.closing]).toEqual([200, [], 0]);
  });

  test('to a key whose patterns do not cover the account, and with unknown parameters', async () => {
    const narrow = await ingress.client({ accounts: ['shop-*'] });
    expectProblem(await statement('acct-json', { by: narrow }), 403, 'UNAUTHORIZED');
    expectProblem(await statement('acct-json', { query: '?at=now' }), 400, 'INVALID_ARGUMENT');
  });
});

test('a long month is sent while it is read', async () => {
  await fund('acct-stream', 1_000_000);
  const body = aRecharge({ accountId: 'acct-stream', amount: 1, paymentMethod: 'balance' });
  await Promise.all(Array.from({ length: 450 }, () => create(ingress, key, body)));
  const response = await fetch(`${ingress.url}/v1/accounts/acct-stream/statements/${MONTH}`, {
    headers: { authorization: `Bearer ${key.keyId}.${key.secret}` },
  });
  expect([response.headers.get('content-length'), response.headers.get('transfer-encoding')]).toEqual([
    null,
    'chunked',
  ]);
  const read = (await response.json()) as { lines: { balance: number }[]; closing: number };
  expect(read.lines.map(({ balance }) => balance)).toEqual(
    Array.from({ length: 451 }, (_, n) => 1_000_000 - n),
  );
  expect(read.closing).toBe(999_550);
});
