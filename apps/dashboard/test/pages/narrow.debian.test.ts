import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FAULTS_OF_PAGE } from '@replenish/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { loginPage } from '../../src/people/login-page.js';
import { openConsoleOnBooks, type ServedConsole } from './support/console.js';
import { type FilledIds, fillBooks, filledPages } from './support/filled.js';

// This test needs Debian's chromium.

const WIDTH = 390;
let served: ServedConsole;
let ids: FilledIds;
let browser: Browser;
const pages = new Map<string, Page>();

beforeAll(async () => {
  served = await openConsoleOnBooks();
  ids = await fillBooks(served);
  browser = await chromium.launch({
    ...{ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'], timeout: 120_000 },
  });
  for (const locale of ['zh-CN', 'en-US']) {
    const viewport = { width: WIDTH, height: 844 };
    const extraHTTPHeaders = { 'x-person': 'mia:admin' };
    const context = await browser.newContext({ locale, viewport, isMobile: true, extraHTTPHeaders });
    pages.set(locale, await context.newPage());
  }
});
afterAll(async () => {
  await browser?.close();
  await served?.close();
});

const shown = (address: string): string =>
  address.replace(/\{(\w+)\}/, (_whole, name: string) => ids[name as keyof FilledIds]);

async function faultsOf(locale: string, open: (page: Page) => Promise<unknown>): Promise<unknown> {
  const page = pages.get(locale)!;
  await open(page);
  expect(await page.evaluate('innerWidth')).toBe(WIDTH);
  return page.evaluate(FAULTS_OF_PAGE);
}

test.each(filledPages)('a phone shows %s whole in Chinese', async (address) => {
  expect(await faultsOf('zh-CN', (page) => page.goto(served.url + shown(address)))).toEqual([]);
});

// English words are longer. The pages of one thing have the parts of its list, so the lists do.
test.each(filledPages.filter((address) => !address.includes('{')))(
  'a phone shows %s whole in English',
  async (address) => {
    expect(await faultsOf('en-US', (page) => page.goto(served.url + address))).toEqual([]);
  },
);

test.each(['zh', 'en'] as const)('a phone shows the login whole in %s', async (language) => {
  const login = loginPage(language, { fault: 'provider_down', hasSignOn: true });
  expect(await faultsOf('zh-CN', (page) => page.setContent(login))).toEqual([]);
});
