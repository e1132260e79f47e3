import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { Domain, News, RechargeReport, ReportResult } from '../../src/index.js';
import { type Books, CLIENT, openBooks } from '../support/books.js';
import { ask, refunding } from '../support/cases.js';
import { newDeliveries } from '../support/deliveries.js';

let books: Books;
let domain: Domain;
beforeAll(async () => {
  books = await openBooks();
  domain = books.open({ lanedProviders: ['alibaba_cloud'] });
});
afterEach(async () => expect(await domain.verify()).toEqual([]));
afterAll(() => books.close());

const claim = (transactionId: string, over: Partial<RechargeReport> = {}) =>
  domain.applyNews({
    ...{ transactionId, news: 'submit', source: 'submission', reason: 'as tested' },
    limits: { poolReadWithinMs: 60_000 },
    ...over,
  });
const tell = (transactionId: string, news: News) =>
  domain.applyNews({ transactionId, news, source: 'poll', reason: 'as tested' });
const holds = (transferableMinor: bigint) =>
  domain.pools.record({
    ...{ provider: 'alibaba_cloud', providerAccount: 'main', currency: 'CNY', transferableMinor },
    tookMs: 0,
  });
const isWon = ({ claim: won }: ReportResult) => won !== null;

let nth = 0;
/** A delivery of 100 fen that the house paid, to an account of its own. */
async function delivered(to = `fa-recall-${nth++}`): Promise<string> {
  const [id] = (await newDeliveries(books, [{ to }])) as [string];
  await holds(1_000_000n);
  await claim(id);
  await tell(id, 'settled');
  return id;
}

async function recalled(of: string, amountMinor: bigint | null = null): Promise<string> {
  const id = uuidv7();
  const created = await domain.createRefund({
    ...{ id, of, amountMinor, clientId: CLIENT, idempotencyKey: `recall-${id}` },
    ...{ reason: 'sent to the wrong account', correlationId: 'c-1' },
  });
  if (!created.ok) throw new Error(created.problem);
  return id;
}

const laneOf = async (id: string) =>
  (await books.rows<{ lane: string | null }>('select lane from recharge_transaction where id = $1', [id]))[0]!
    .lane;

test('a recall goes the way back of its delivery, and names the target that the money comes from', async () => {
  const delivery = await delivered('fa-named');
  const recall = await recalled(delivery, 40n);
  expect((await claim(recall)).claim).toMatchObject({
    ...{ amountMinor: 40n, provider: 'alibaba_cloud', original: { id: delivery } },
    payee: { provider: 'alibaba_cloud', from: null, to: 'fa-named' },
  });
});

test('the pool pays deliveries only: an empty one holds no recall back', async () => {
  const recall = await recalled(await delivered());
  await holds(0n);
  const result = await claim(recall);
  expect(result.held).toBeUndefined();
  expect(isWon(result)).toBe(true);
});

test('recalls from one account go one at a time, beside the deliveries to it', async () => {
  const to = 'fa-both-ways';
  const [first, second] = [await delivered(to), await delivered(to)];
  const recalls = [await recalled(first), await recalled(second)] as const;
  expect(await laneOf(recalls[0])).toBe(`${await laneOf(first)}:back`);
  const [delivery] = (await newDeliveries(books, [{ to }])) as [string];
  await holds(1_000_000n);
  expect(isWon(await claim(delivery))).toBe(true);
  expect(isWon(await claim(recalls[0]))).toBe(true);
  expect(await claim(recalls[1])).toMatchObject({ claim: null, held: 'LANE' });
  await tell(recalls[0], 'settled');
  expect(isWon(await claim(recalls[1]))).toBe(true);
});

const house = async () =>
  (
    await books.rows<{ sum: string }>(
      `select coalesce(sum(case when credit_account = 'house:main' then amount else -amount end), 0) as sum
       from report.postings where 'house:main' in (credit_account, debit_account)`,
    )
  )[0]!.sum;

test('a recall of a delivery that the house paid gives the money to the house', async () => {
  const before = BigInt(await house());
  const delivery = await delivered();
  expect(BigInt(await house())).toBe(before - 100n);
  const recall = await recalled(delivery);
  await claim(recall);
  await tell(recall, 'settled');
  expect(BigInt(await house())).toBe(before);
});

test('what a recall from suspense brought in another amount goes to the house, if the house paid the delivery', async () => {
  const before = BigInt(await house());
  const [delivery] = (await newDeliveries(books, [{ to: 'fa-late' }])) as [string];
  const says = (id: string, news: News, over: Partial<RechargeReport> = {}) =>
    domain.applyNews({ transactionId: id, news, source: 'webhook', reason: 'as tested', ...over });
  const decided = async (transactionId: string, verb: 'adopt' | 'return') => {
    const open = { viewer: null, status: 'open', transactionId, limit: 1 } as const;
    const [one] = (await domain.cases.list(open, refunding)).rows;
    const answer = await domain.cases.resolve(ask(one!.id, verb), refunding);
    if (!answer.ok) throw new Error(answer.problem);
    return answer.refund?.id;
  };
  await holds(1_000_000n);
  await claim(delivery);
  await says(delivery, 'declined');
  await says(delivery, 'settled', { providerOrderId: 'paid late' });
  const recall = (await decided(delivery, 'return'))!;
  await claim(recall);
  const money = { amountMinor: 98n, currency: 'CNY' };
  await says(recall, 'settled', { providerOrderId: 'came back', money });
  await decided(recall, 'adopt');
  await decided(delivery, 'adopt');
  expect(BigInt(await house())).toBe(before - 2n);
});
