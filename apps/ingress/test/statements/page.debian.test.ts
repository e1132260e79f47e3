import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { NewKey } from '@replenish/domain';
import { FAULTS_OF_PAGE } from '@replenish/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { created, end, type Ingress, openIngress } from '../support/ingress.js';

// This test needs Debian's chromium.

const ACCOUNT = 'acct-with-a-long-name-of-a-shop:2026-11';
const MONTH = new Date().toISOString().slice(0, 7);
let ingress: Ingress;
let key: NewKey;
let browser: Browser;
beforeAll(async () => {
  ingress = await openIngress();
  key = await ingress.client();
  const asked = { accountId: ACCOUNT, currency: 'CNY' };
  const orderReference = 'PO-2026-11-0000712345-with-a-long-name-of-an-order';
  await end(
    ingress,
    await created(ingress, key, { ...asked, amount: 98_765_432_109, orderReference }),
    'settled',
  );
  for (const outcome of ['declined', 'settled'] as const) {
    const paid = { ...asked, amount: 12_345_678, paymentMethod: 'balance' };
    await end(ingress, await created(ingress, key, paid), outcome);
  }
  browser = await chromium.launch({
    ...{ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'], timeout: 120_000 },
  });
});
afterAll(async () => {
  await browser?.close();
  await ingress?.close();
});

async function opened(locale: string, width: number, month = MONTH): Promise<Page> {
  const authorization = `Bearer ${key.keyId}.${key.secret}`;
  const context = await browser.newContext({
    ...{ locale, viewport: { width, height: 844 }, isMobile: width < 640 },
    extraHTTPHeaders: { authorization, accept: 'text/html' },
  });
  const page = await context.newPage();
  await page.goto(`${ingress.url}/v1/accounts/${ACCOUNT}/statements/${month}`);
  return page;
}

const sizes = [
  ['zh-CN', 390],
  ['en-US', 390],
  ['zh-CN', 1_440],
  ['en-US', 1_440],
] as const;

test.each(sizes)('the page of a month in %s is whole, %d wide', async (locale, width) => {
  for (const month of [MONTH, '2019-07']) {
    const page = await opened(locale, width, month);
    expect(await page.evaluate(FAULTS_OF_PAGE)).toEqual([]);
  }
});

test.each(['zh-CN', 'en-US'])(
  'on paper the page in %s has its heads, and no column is cut',
  async (locale) => {
    const page = await opened(locale, 718);
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate(FAULTS_OF_PAGE)).toEqual([]);
    expect(await page.locator('thead').isVisible()).toBe(true);
  },
);
