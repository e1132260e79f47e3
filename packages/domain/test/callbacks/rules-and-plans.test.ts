import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newRecharge } from '@replenish/testing';
import { v7 as uuidv7 } from 'uuid';
import { keyOfPlanLine } from '../../src/core/plan.js';
import type { EndpointWithSecret } from '../../src/index.js';
import { type Books, CLIENT, openBooks, reportOf } from '../support/books.js';
import { KEY_ROW, newRule, VIEWER } from '../support/rules.js';

const masterKeys = `test:${Buffer.alloc(32, 9).toString('base64')}`;

let books: Books;
beforeAll(async () => {
  books = await openBooks();
  await books.closeDomains();
  books = { ...books, domain: books.open({ masterKeys }) };
  await books.rows(KEY_ROW);
});
afterAll(() => books.close());

/** An endpoint that hears the events of one type. Returns its lane. */
async function listener(type: string): Promise<string> {
  const made = await books.domain.callbacks.createEndpoint({
    ...{ clientId: CLIENT, url: 'https://93.184.216.34/', events: [type], accounts: ['%'] },
    idempotencyKey: null,
  });
  return (made as EndpointWithSecret).endpoint.id;
}

async function heard(lane: string) {
  const posts = await books.domain.callbacks.take(lane, { leaseMs: 60_000, max: 8, isRefunding: () => true });
  const outcome = { httpStatus: 200, error: null, durationMs: 1, retryAfterMs: null };
  for (const post of posts) await books.domain.callbacks.file(post, outcome, { status: 'delivered' });
  return posts.map(({ content }) => ({
    type: content.type,
    data: content.about === 'data' ? content.data : null,
  }));
}

test('a rule that pauses is told once, with the reason, whoever paused it', async () => {
  const lane = await listener('rule.paused');
  const created = await books.domain.rules.create(newRule({ accountId: 'acct-told' }));
  if (!created.ok) throw new Error(created.problem);
  const { id } = created.rule;
  await books.domain.rules.pause(id, VIEWER);
  await books.domain.rules.pause(id, VIEWER);
  // A change of a rule that is paused already is no pause.
  await books.rows(`update recharge_rule set updated_at = now() where id = $1`, [id]);
  expect(await heard(lane)).toEqual([
    {
      type: 'rule.paused',
      data: expect.objectContaining({
        ...{ ruleId: id, accountId: 'acct-told', status: 'paused', pausedBecause: 'BY_REQUEST' },
      }),
    },
  ]);
  await books.domain.rules.resume(id, VIEWER, { keyId: null, actor: 'books' });
  await books.rows(
    `update api_key set revoked_at = now() where id = (select key_id from recharge_rule where id = $1)`,
    [id],
  );
  expect(
    await books.domain.rules.look(id, () => ({ provider: 'sandbox', providerAccount: 'main' })),
  ).toMatchObject({ pause: 'KEY_GONE' });
  expect(await heard(lane)).toMatchObject([{ data: { ruleId: id, pausedBecause: 'KEY_GONE' } }]);
});

test('a plan that finishes is told once, with what became of its lines', async () => {
  const lane = await listener('plan.finished');
  const id = uuidv7();
  const line = (n: number) => ({
    ...{ line: n, accountId: 'acct-1', amountMinor: 7n, paymentMethod: 'sandbox' },
    ...{ providerAccount: null, destination: null, orderReference: null },
  });
  await books.domain.plans.create({
    ...{ id, clientId: CLIENT, idempotencyKey: null, name: 'told', currency: 'USD', totalMinor: 21n },
    ...{
      budgetMinor: null,
      canaryMinor: null,
      createdBy: 'operator',
      correlationId: 'c',
      lines: [1, 2, 3].map(line),
    },
  });
  await books.domain.plans.move({ planId: id, verb: 'start', by: 'operator' });
  for (const [n, news] of [
    [1, 'settled'],
    [2, 'declined'],
  ] as const) {
    const recharge = newRecharge({
      ...{ id: uuidv7(), clientId: CLIENT, idempotencyKey: keyOfPlanLine(id, n), amountMinor: 7n },
    });
    await books.domain.createRecharge(recharge);
    await books.domain.applyNews(reportOf(recharge.id, 'submit'));
    await books.domain.applyNews(reportOf(recharge.id, news));
  }
  const { work } = books.domain.plans;
  await work.advance(id, 3, [{ place: 3, code: 'INSUFFICIENT_BALANCE', message: 'no money' }]);
  expect(await heard(lane)).toEqual([]);
  expect(await work.settle(id)).toBe(true);
  await work.settle(id);
  expect(await heard(lane)).toEqual([
    {
      type: 'plan.finished',
      data: {
        ...{ planId: id, name: 'told', status: 'finished', currency: 'USD', lines: 3, total: 21 },
        ...{ succeeded: 1, failed: 2, canceled: 0, amountSucceeded: 7, version: 1 },
        startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        finishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      },
    },
  ]);
});
