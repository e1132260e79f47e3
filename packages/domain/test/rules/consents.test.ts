import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Books, openBooks, reportOf } from '../support/books.js';
import { KEY, KEY_ROW, newRule, terms, toCloud, VIEWER } from '../support/rules.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());

const payee = (to: string) =>
  books.domain.payees.set(
    {
      ...{ accountId: 'acct-paid', provider: 'alibaba_cloud', providerAccount: 'main' },
      ...{ to, from: null, currency: 'USD' },
    },
    'books',
  );
const route = () => ({ provider: 'sandbox', providerAccount: 'main' });
const look = (id: string) => books.domain.rules.look(id, route);
const consentsOf = (id: string) =>
  books.rows(
    `select terms_version, actor, target, terms ->> 'belowMinor' as below, length(terms_hash) as hash,
      at is not null as dated
    from rule_consent where rule_id = $1 order by terms_version`,
    [id],
  );

test('each version of the terms has its consent: who, when, the hash of the terms, and where the money goes', async () => {
  await payee('fa-1');
  const made = await books.domain.rules.create(
    newRule({ accountId: 'acct-paid', watch: 'cloud', recharge: toCloud, actor: 'ann' }),
  );
  if (!made.ok) throw new Error(made.problem);
  const { id } = made.rule;
  const dearer = terms({ belowMinor: 2_000n });
  await books.domain.rules.change(id, VIEWER, {
    ...{ terms: dearer, recharge: toCloud, basedOn: null, keyId: KEY, actor: 'ben' },
  });
  await payee('fa-2');
  expect(await look(id)).toMatchObject({ pause: 'PAYEE_CHANGED' });
  expect((await books.domain.rules.one(id, VIEWER))!.consent).toMatchObject({
    ...{ actor: 'ben', target: 'alibaba_cloud:main:fa-1' },
  });
  const resumed = await books.domain.rules.resume(id, VIEWER, { keyId: null, actor: 'cleo' });
  expect(resumed!.consent).toMatchObject({
    ...{ actor: 'cleo', termsVersion: 3, target: 'alibaba_cloud:main:fa-2' },
  });
  const of = { hash: 64, dated: true };
  expect(await consentsOf(id)).toEqual([
    { ...of, terms_version: 1, actor: 'ann', target: 'alibaba_cloud:main:fa-1', below: '1000' },
    { ...of, terms_version: 2, actor: 'ben', target: 'alibaba_cloud:main:fa-1', below: '2000' },
    { ...of, terms_version: 3, actor: 'cleo', target: 'alibaba_cloud:main:fa-2', below: '2000' },
  ]);
  const hashes = await books.rows(
    'select terms_hash from rule_consent where rule_id = $1 order by terms_version',
    [id],
  );
  expect(new Set(hashes.map((row) => JSON.stringify(row))).size).toBe(2);
  expect(resumed!.consent.termsHash).toBe((hashes[1] as { terms_hash: string }).terms_hash);
});

test('to resume a rule that is not paused is no consent', async () => {
  const made = await books.domain.rules.create(newRule({ accountId: 'acct-busy' }));
  if (!made.ok) throw new Error(made.problem);
  await books.domain.rules.resume(made.rule.id, VIEWER, { keyId: KEY, actor: 'cleo' });
  expect(await consentsOf(made.rule.id)).toHaveLength(1);
});

test('attempts, recharges that succeeded and declines of a day are counted apart', async () => {
  const domain = books.open({ ruleBackoffMs: 1 });
  const made = await domain.rules.create(newRule({ accountId: 'acct-counted' }));
  if (!made.ok) throw new Error(made.problem);
  const { id } = made.rule;
  const ends = [['submit', 'declined'], ['withdraw'], ['submit', 'settled']] as const;
  for (const heard of ends) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    const looked = await domain.rules.look(id, route);
    for (const news of heard) await domain.applyNews(reportOf(looked!.decision.transactionId!, news));
  }
  await look(id);
  const rule = await domain.rules.one(id, VIEWER);
  expect(rule!.inDay).toEqual({ attempts: 3, recharges: 1, declines: 1 });
  expect(rule!.lastDecision!.numbers).toMatchObject({
    ...{ timesInDay: 3, rechargesInDay: 1, declinesInDay: 1, declines: 0 },
  });
});
