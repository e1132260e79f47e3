import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

export type AxeFinding = Readonly<{ id: string; impact: string; help: string; nodes: readonly string[] }>;

export interface Axe {
  /** What axe-core finds on a page, seen in a browser with these colours and this width. */
  findings(path: string, scheme: 'light' | 'dark', width: number): Promise<AxeFinding[]>;
  close(): Promise<void>;
}

const RUN = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, impact, help, nodes }) => ({ id, impact, help, nodes: nodes.map((one) => one.html) })))`;

/**
 * Opens the pages of a console as a person with all rights sees them, and runs axe-core on them.
 * @param url the address of the console
 */
export async function openAxe(url: string): Promise<Axe> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const browser = await chromium.launch({
    ...{ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'], timeout: 120_000 },
  });
  return {
    findings: async (path, colorScheme, width) => {
      const context = await browser.newContext({
        ...{ colorScheme, viewport: { width, height: 900 }, locale: 'en-US' },
        extraHTTPHeaders: { 'x-person': 'mia:admin' },
      });
      const page = await context.newPage();
      await page.goto(url + path);
      if ((await page.evaluate('innerWidth')) !== width) throw new Error(`the window is not ${width} wide`);
      await page.evaluate(source);
      const found = await page.evaluate<AxeFinding[]>(RUN);
      await context.close();
      return found;
    },
    close: () => browser.close(),
  };
}
