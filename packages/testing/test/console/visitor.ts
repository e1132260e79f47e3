import type { OperatorRole } from '@replenish/domain';
import { type TOTP, URI } from 'otpauth';
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from 'playwright-core';
import type { Fleet } from '../../src/fleet/fleet.js';
import { withBooks } from '../../src/fleet/producer.js';

/** Debian's browser. A busy machine may take long to start it. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'], timeout: 120_000 });

const PAGE_LIMIT_MS = 60_000;
const STEP_MS = 30_000;

/** A person at the console of a fleet, in a browser of their own. Every click is counted. */
export class Visitor {
  clicks = 0;
  readonly page: Page;
  readonly name: string;
  readonly #url: string;
  readonly #totp: TOTP | null;
  #codes = 0;

  private constructor(given: { page: Page; name: string; url: string; totp: TOTP | null }) {
    this.page = given.page;
    this.name = given.name;
    this.#url = given.url;
    this.#totp = given.totp;
  }

  /** Makes a user of this role, who is signed in. */
  static async signedIn(
    browser: Browser,
    fleet: Fleet,
    { name, role = 'operator', ...options }: BrowserContextOptions & { name: string; role?: OperatorRole },
  ): Promise<Visitor> {
    const by = { actor: 'test', role: 'command_line' };
    const { totpUri, secret } = await withBooks(fleet, async ({ operators }) => {
      const made = await operators.create({ name, role, passwordHash: 'no password' }, by);
      const known = await operators.credentials(name);
      if (!made || !known) throw new Error(`there is a user ${name} already`);
      return { totpUri: made.totpUri, secret: await operators.openSession(known.id) };
    });
    const context = await browser.newContext({ locale: 'en-US', ...options });
    context.setDefaultTimeout(PAGE_LIMIT_MS);
    await context.addCookies([{ name: 'replenish_session', value: secret, url: fleet.dashboardUrl }]);
    const totp = totpUri === null ? null : (URI.parse(totpUri) as TOTP);
    return new Visitor({ page: await context.newPage(), name, url: fleet.dashboardUrl, totp });
  }

  /** Opens an address, as somebody does who was called, and counts from there. */
  async opens(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
    this.clicks = 0;
  }

  /** A further tab of the same person. */
  async secondTab(path: string): Promise<Page> {
    const tab = await this.page.context().newPage();
    await tab.goto(this.#url + path);
    return tab;
  }

  /** Clicks on what leads to another page, and waits until that page is loaded. */
  async click(target: Locator): Promise<void> {
    this.clicks += 1;
    await Promise.all([this.page.waitForEvent('load'), target.click()]);
  }

  /** Follows the first link whose text or address fits. */
  follow(wanted: string | RegExp): Promise<void> {
    const { page } = this;
    const main = page.locator('main');
    return this.click(
      typeof wanted === 'string'
        ? main.getByRole('link', { name: wanted, exact: true }).first()
        : main.getByRole('link', { name: wanted }).first(),
    );
  }

  /** Follows the link to a recharge. */
  followRecharge(id: string): Promise<void> {
    return this.click(this.page.locator(`main a[href="/recharges/${id}"]`).first());
  }

  /** Types a reason, and a code where the form asks for one. */
  async typeInto(page: Page = this.page, reason = 'called at night'): Promise<void> {
    await page.locator('#reason').fill(reason);
    const code = page.locator('#code');
    if ((await code.count()) > 0) await code.fill(this.code());
  }

  async confirm(): Promise<void> {
    await this.typeInto();
    await this.click(this.button());
  }

  button(page: Page = this.page): Locator {
    return page.locator('form.verb button');
  }

  /** A code that was not used before: of this time step, and then of the next one, which is accepted too. */
  code(): string {
    if (!this.#totp) throw new Error(`${this.name} has no second factor`);
    const timestamp = Date.now() + STEP_MS * this.#codes++;
    return this.#totp.generate({ timestamp });
  }

  /** The text of the page, with single spaces. */
  async text(): Promise<string> {
    return ((await this.page.locator('main').textContent()) ?? '').replace(/\s+/g, ' ');
  }
}
