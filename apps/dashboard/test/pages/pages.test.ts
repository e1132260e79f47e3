import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chinese } from '../../src/pages/frame/chinese/chinese.js';
import { type Got, linksIn, openConsoleOnBooks, type ServedConsole, troubles } from './support/console.js';

let served: ServedConsole;
let late: string;
beforeAll(async () => {
  served = await openConsoleOnBooks();
  late = await served.recharge({ accountId: 'acct-1' }, ...troubles.late);
  await served.recharge({ accountId: 'acct-2' }, ...troubles.silent);
});
afterAll(() => served.close());

const ofAll = [
  '/',
  '/recharges',
  '/cases',
  '/accounts',
  '/accounts/acct-1',
  '/providers',
  '/rules',
  '/plans',
  '/callbacks',
];
const ofAdmins = ['/clients', '/clients/new', '/audit', '/security'];

describe('pages by role', () => {
  test.each(ofAll)('%s is open to everybody', async (path) => {
    for (const role of ['viewer', 'operator', 'approver', 'admin'] as const)
      expect((await served.get(path, role)).status).toBe(200);
  });

  test.each(ofAdmins)('%s is open to admins only, and only they see a link to it', async (path) => {
    expect((await served.get(path, 'admin')).status).toBe(200);
    for (const role of ['viewer', 'operator', 'approver'] as const) {
      expect((await served.get(path, role)).status).toBe(403);
      expect(linksIn(await served.get('/', role))).not.toContain(path);
    }
  });
});

test('every page names the environment in its title, its language and its headings', async () => {
  for (const path of [...ofAll, ...ofAdmins]) {
    const { text } = await served.get(path, 'admin');
    expect(text).toMatch(/<title>test · [^<]+ · Replenish<\/title>/);
    expect(text).toMatch(/<html lang="en">/);
    expect(text.match(/<h1>/g)).toHaveLength(1);
  }
});

test('no page has a style or a script of its own, which the security policy would have to allow', async () => {
  for (const path of [...ofAll, ...ofAdmins, `/recharges/${late}`]) {
    const { text } = await served.get(path, 'admin');
    expect(text).not.toMatch(
      /<style|\sstyle=|\son\w+=|<script(?! type="module" src="\/assets\/)|javascript:/,
    );
  }
});

test('scripts and styles of a page are under 100 kB, and may be kept for ever', async () => {
  const { text } = await served.get('/');
  const addresses = [...text.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g)].map(([, address]) => address!);
  const assets = await Promise.all(addresses.map((address) => served.get(address)));
  expect(assets).toHaveLength(2);
  expect(assets.reduce((sum, asset) => sum + asset.text.length, 0)).toBeLessThan(100_000);
  for (const { headers } of assets) expect(headers.get('cache-control')).toMatch(/immutable/);
});

test.each([
  ['?lang=zh', {}],
  ['', { 'accept-language': 'zh-CN,zh;q=0.9' }],
  ['', { cookie: 'replenish_language=zh' }],
])('a page is Chinese by %s %j', async (query, headers) => {
  const { text } = await served.get(`/${query}`, 'operator', headers as Record<string, string>);
  expect(text).toMatch(/<html lang="zh-CN">/);
  expect(text).toMatch(/<h1>总览<\/h1>/);
});

test('every sentence of the pages is there in Chinese', () => {
  const missing = sentences().filter((english) => !(english in chinese));
  expect(sentences().length).toBeGreaterThan(200);
  expect(missing).toEqual([]);
});

/** The literal texts that the sources pass to `say`. */
function sentences(): string[] {
  const folder = join(import.meta.dirname, '../../src');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'));
  return texts.flatMap((text) =>
    [...text.matchAll(/\bsay\(\s*'((?:[^'\\]|\\.)*)'/g)].map(([, english]) =>
      english!.replaceAll("\\'", "'"),
    ),
  );
}

test('each number of the overview leads to a list with what it counts', async () => {
  const overview = await served.get('/');
  const links = linksIn(overview).filter((href) => /^\/(recharges\?waiting|cases)/.test(href));
  expect(links.length).toBeGreaterThan(3);
  for (const href of links) expect((await served.get(href)).status).toBe(200);
  const waiting = links.find((href) => href.includes('waiting=PROVIDER&'))!;
  expect((await served.get(waiting)).text).toMatch(/acct-2/);
});

test('the page of providers lists every configured account, also one that was never called', async () => {
  const { text } = await served.get('/providers');
  const accounts = text.split('Our accounts at providers').at(-1)!.split('</table>')[0]!;
  const rows = accounts.split('<tr').map((row) =>
    row
      .replace(/^[^>]*>|<[^>]*>/g, ' ')
      .replace(/\s+/g, ' ')
      .trim(),
  );
  expect(rows).toContainEqual(expect.stringMatching(/^sandbox · main - /));
  for (const never of ['eu', 'us']) expect(rows).toContain(`stripe · ${never} - 0 -`);
});

describe('texts of others', () => {
  const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(1)>'\${7*7}{{7*7}}`;
  const expectHarmless = ({ text }: Got): void => {
    expect(text).toMatch(/&lt;script&gt;alert\(1\)/);
    expect(text).not.toMatch(/<script>alert|<img src=x/);
  };

  test('are shown as text on every page', async () => {
    const id = await served.recharge(
      {
        ...{ accountId: HOSTILE, orderReference: HOSTILE, idempotencyKey: HOSTILE, correlationId: HOSTILE },
        metadata: { [HOSTILE]: HOSTILE, isEscaped: 'true' },
      },
      ['submit', { source: 'submission' }],
      ['declined', { providerOrderId: HOSTILE, failure: { code: 'PAYMENT_FAILED', message: HOSTILE } }],
      ['settled', { providerOrderId: HOSTILE, reason: HOSTILE, reference: HOSTILE }],
    );
    const [one] = (await served.domain.cases.list({ viewer: null, transactionId: id, limit: 1 }, () => true))
      .rows;
    const account = `/accounts/${encodeURIComponent(HOSTILE)}`;
    for (const path of [`/recharges/${id}`, '/recharges', `/cases/${one!.id}`, '/cases', account])
      expectHarmless(await served.get(path));
    expectHarmless(await served.get(`/recharges?q=${encodeURIComponent(HOSTILE)}x`));
    expectHarmless(await served.get(`/recharges?account=${encodeURIComponent(HOSTILE)}`));
  });

  test('begin no formula in the CSV', async () => {
    await served.recharge({ accountId: 'acct-csv', orderReference: '=HYPERLINK("http://x")' });
    const { text } = await served.get('/recharges?account=acct-csv&format=csv');
    expect(text).toMatch(/"'=HYPERLINK/);
  });
});
