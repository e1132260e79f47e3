import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { News } from '../../src/core/recharge.js';
import { type Books, openBooks, reportOf } from '../support/books.js';
import { KEY_ROW, newRule, paysTo, terms, toCloud } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());

const HOUR = { cooldownSeconds: 3_600 };

/** A rule that fills a new payee, first with a canary of 100. */
async function ruled(accountId: string): Promise<string> {
  await paysTo(books, accountId, `fa-${accountId}`);
  const of = terms({ ...HOUR, canaryMinor: 100n });
  const made = await books.domain.rules.create(
    newRule({ accountId, watch: 'cloud', recharge: toCloud, terms: of }),
  );
  if (!made.ok) throw new Error(made.problem);
  await reads(made.rule.id, 10n);
  return made.rule.id;
}

async function reads(ruleId: string, balance: bigint): Promise<void> {
  await books.rows('update watched_account set read_at = null, asked_at = null');
  const account = await books.domain.rules.watched.claim(ruleId);
  await books.domain.rules.watched.record(account!, { minor: balance, cashMinor: null }, 0);
}

const look = async (id: string) => (await books.domain.rules.look(id, () => null))!.decision;

async function hears(id: string, ...news: readonly News[]): Promise<void> {
  for (const one of news) await books.domain.applyNews(reportOf(id, one));
}

test('the rest follows once the first small amount has arrived at the payee, whatever the cooldown', async () => {
  const id = await ruled(`acct-${uuidv7()}`);
  const canary = await look(id);
  expect(canary).toMatchObject({ decided: 'recharge', amountMinor: 100n, numbers: { isCanary: true } });
  for (const news of ['submit', 'unknown'] as const) {
    await hears(canary.transactionId!, news);
    expect(await look(id)).toMatchObject({ decided: 'held_back', because: 'UNDER_WAY' });
  }
  await hears(canary.transactionId!, 'settled');
  await reads(id, 110n);
  expect(await look(id)).toMatchObject({ decided: 'recharge', amountMinor: 4_890n });
});

test('a canary that is declined is followed by the pause after a decline, and then by a canary', async () => {
  const id = await ruled(`acct-${uuidv7()}`);
  const canary = await look(id);
  await hears(canary.transactionId!, 'submit', 'declined');
  expect(await look(id)).toMatchObject({ decided: 'held_back', because: 'COOLDOWN', amountMinor: 100n });
});

test('another payee of the account is a new one', async () => {
  const accountId = `acct-${uuidv7()}`;
  const id = await ruled(accountId);
  const canary = await look(id);
  await hears(canary.transactionId!, 'submit', 'settled');
  await paysTo(books, accountId, `fa-other-${accountId}`);
  await look(id);
  const viewer = { clientId: newRule().clientId, accountPatterns: ['%'] };
  await books.domain.rules.resume(id, viewer, { keyId: null, actor: 'books' });
  await reads(id, 10n);
  await books.rows(
    `update recharge_rule set terms = jsonb_set(terms, '{cooldownSeconds}', '0') where id = $1`,
    [id],
  );
  expect(await look(id)).toMatchObject({ amountMinor: 100n, numbers: { isCanary: true } });
});
