import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execute } from '@replenish/testing';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { keyOfPlanLine } from '../../src/core/plan.js';
import type { News } from '../../src/core/recharge.js';
import { type Domain, invariantNames } from '../../src/index.js';
import { verify } from '../../src/store/proof/verify.js';
import {
  type Books,
  CLIENT,
  deposit,
  newRecharge,
  OTHER_CLIENT,
  openBooks,
  recharged,
  reportOf,
} from '../support/books.js';
import { corruptions } from '../support/corruptions.js';

let books: Books;
let session: pg.Client;
beforeAll(async () => {
  books = await openBooks();
  session = new pg.Client(books.url);
  await session.connect();
  await mixedTraffic(books);
});
afterAll(async () => {
  await session.end();
  await books.close();
});

/** Both kinds of recharge in each state, late money, a conflict, and processed, open and unmatched events. */
async function mixedTraffic(books: Books): Promise<void> {
  const { domain } = books;
  await deposit(domain, 'acct-1', 10_000n);
  for (const kind of ['collect', 'deliver'] as const) {
    const some = { kind, amountMinor: 100n } as const;
    const labelled = (orderReference: string) => ({ ...some, orderReference: `${kind} ${orderReference}` });
    await recharged(domain, labelled('created'));
    await recharged(domain, labelled('submitted'), 'submit');
    await recharged(domain, labelled('pending'), 'submit', 'accepted');
    await recharged(domain, labelled('succeeded'), 'submit', 'accepted', 'settled');
    await recharged(domain, labelled('failed'), 'submit', 'declined');
    await recharged(domain, labelled('canceled'), 'withdraw');
    await recharged(domain, labelled('late'), 'submit', 'declined', 'settled');
    await recharged(domain, labelled('contradicted'), 'submit', 'settled', 'declined');
    await domain.createRecharge(newRecharge({ ...some, kind: 'deliver', amountMinor: 1_000_000n }));
  }
  await ofTheHouse(books);
  const payee = { provider: 'alibaba_cloud', providerAccount: 'main', from: null, to: 'fa-7' };
  await domain.payees.set({ ...payee, accountId: 'acct-cloud', currency: 'USD' }, 'tester');
  const toTheCloud = { accountId: 'acct-cloud', orderReference: 'to the cloud' };
  await recharged(domain, toTheCloud, 'submit', 'settled');
  await planOfTwo(domain);
  const others = { clientId: OTHER_CLIENT, accountId: 'acct-victim', orderReference: 'other client' };
  await recharged(domain, others, 'submit', 'settled');
  const resent = await recharged(domain, {}, 'submit');
  await domain.applyNews(reportOf(resent, 'unknown', { source: 'poll', nextStep: 'submit' }));
  await domain.applyNews(reportOf(resent, 'submit'));
  const [processed, open, lost] = [uuidv7(), uuidv7(), uuidv7()];
  for (const id of [processed, open, lost]) {
    await domain.inbox.keep({
      id,
      provider: 'sandbox',
      eventId: id,
      rawBody: Buffer.from(id),
      correlationId: 'c',
    });
  }
  await domain.applyNews(reportOf(resent, 'settled', { source: 'webhook', eventId: processed }));
  await domain.inbox.fileUnmatched((await domain.inbox.read(lost))!, {});
}

/** A plan with a line that is created, and one that is refused. */
async function planOfTwo({ plans, createRecharge }: Domain): Promise<void> {
  const line = { accountId: 'acct-1', amountMinor: 5n, paymentMethod: 'sandbox' };
  const whole = { ...line, providerAccount: null, destination: null, orderReference: null };
  const plan = { id: uuidv7(), clientId: CLIENT, idempotencyKey: null, name: 'of two', currency: 'USD' };
  const made = {
    totalMinor: 10n,
    budgetMinor: null,
    canaryMinor: null,
    createdBy: 'operator',
    correlationId: 'c',
  };
  const lines = [1, 2].map((n) => ({ ...whole, line: n }));
  await plans.create({ ...plan, ...made, lines });
  await plans.move({ planId: plan.id, verb: 'start', by: 'operator' });
  await createRecharge(newRecharge({ idempotencyKey: keyOfPlanLine(plan.id, 1), amountMinor: 5n }));
  await plans.work.advance(plan.id, 2, [{ place: 2, code: 'INSUFFICIENT_BALANCE', message: 'no money' }]);
}

/** Deliveries that the house pays, and recalls to the house and to a wallet, in several states. */
async function ofTheHouse({ domain, url }: Books): Promise<void> {
  const make = async (kind: string, funding: string, ...news: readonly News[]) => {
    const paidBack = await recharged(domain, {}, 'submit', 'settled');
    const id = await recharged(domain, {
      orderReference: `${funding} ${kind} ${news.join(' ') || 'created'}`,
    });
    // The terms of a stored recharge cannot change, so the trigger that keeps them is off here.
    await execute(
      url,
      `set session_replication_role = replica;
       update recharge_transaction set kind = '${kind}', funding = '${funding}',
         refund_of = case '${kind}' when 'recall' then '${paidBack}'::uuid end where id = '${id}'`,
    );
    for (const heard of news) await domain.applyNews(reportOf(id, heard));
  };
  for (const [kind, funding] of [
    ['deliver', 'house'],
    ['recall', 'house'],
    ['recall', 'wallet'],
  ] as const) {
    await make(kind, funding);
    await make(kind, funding, 'submit', 'accepted', 'settled');
    await make(kind, funding, 'submit', 'declined');
    await make(kind, funding, 'submit', 'declined', 'settled');
  }
}

/** Runs `sql` on the sound books and verifies them in the same transaction, which is rolled back. */
async function brokenAfter(sql: string) {
  try {
    await session.query(`begin; set local session_replication_role = replica; ${sql}`);
    return await verify(async ({ text, values }) => (await session.query({ text, values })).rows);
  } finally {
    await session.query('rollback');
  }
}

test('books after all kinds of traffic hold each invariant', async () => {
  expect(await books.domain.verify()).toEqual([]);
});

describe('the invariants that a corruption breaks find it, and no others', () => {
  test.each(corruptions)('$invariant: $how', async ({ invariant, also = [], sql }) => {
    const findings = await brokenAfter(sql);
    expect(findings.map((finding) => finding.invariant).toSorted()).toEqual([invariant, ...also].toSorted());
    for (const { count, examples, meaning } of findings) {
      expect(examples).toHaveLength(Math.min(count, 5));
      expect([...examples, meaning]).not.toContain('');
    }
  });

  test('each invariant has a corruption', () => {
    expect(new Set(corruptions.map(({ invariant }) => invariant))).toEqual(new Set(invariantNames));
  });
});

// This is the last test, because the books stay broken.
test('a Domain finds what a committed change breaks', async () => {
  const change = `delete from client where name = 'other books'`;
  await session.query(`begin; set local session_replication_role = replica; ${change}; commit`);
  expect(await books.domain.verify()).toMatchObject([{ invariant: 'known_client' }]);
});
