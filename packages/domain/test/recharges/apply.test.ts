import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { v7 as uuidv7 } from 'uuid';
import type { Claim, Domain, ProviderCallRow } from '../../src/index.js';
import { type Books, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
let other: Domain;
beforeAll(async () => {
  books = await openBooks();
  other = books.open();
});
afterAll(() => books.close());

const transitions = (id: string) =>
  books.rows(
    'select seq, news, verdict, to_state as to from transition where transaction_id = $1 order by seq',
    [id],
  );
const calls = (id: string) =>
  books.rows(
    'select id, attempt, operation, outcome from provider_call where transaction_id = $1 order by attempt, operation',
    [id],
  );
const row = async (id: string) => {
  const [found] = await books.rows(
    `select state, next_step, attempt, asks, version, due_at, provider_order_id,
       extract(epoch from due_at - now())::float8 as due_in_s from recharge_transaction where id = $1`,
    [id],
  );
  return found!;
};

const submitAnswer = (callId: string, attempt: number, outcome: string): ProviderCallRow => ({
  id: callId,
  operation: 'submit',
  attempt,
  outcome,
  providerCode: null,
  httpStatus: 201,
  startedAt: new Date(),
  endedAt: new Date(),
});

test('of 100 submits at once at two processes one is granted, with the facts that the provider needs', async () => {
  const id = await recharged(books.domain, { metadata: { scenario: 'ok' }, amountMinor: 42n });
  const answers = await Promise.all(
    times(100, (n) => (n % 2 ? other : books.domain).applyNews(reportOf(id, 'submit'))),
  );
  const claims = answers.flatMap(({ claim }) => claim ?? []);
  expect(claims).toMatchObject([
    {
      transactionId: id,
      attempt: 1,
      amountMinor: 42n,
      metadata: { scenario: 'ok' },
      paymentMethod: 'sandbox',
    },
  ]);
  expect(answers.filter(({ verdict }) => verdict === 'moved')).toHaveLength(1);
  expect(await transitions(id)).toEqual([{ seq: 1, news: 'submit', verdict: 'moved', to: 'SUBMITTED' }]);
  expect(await calls(id)).toEqual([
    { id: claims[0]!.callId, attempt: 1, operation: 'submit', outcome: null },
  ]);
});

test('an event of an unsent recharge may wait, and leaves no trace until then', async () => {
  const id = await recharged(books.domain, {});
  const event = reportOf(id, 'settled', { source: 'webhook', mayWait: true });
  expect(await books.domain.applyNews(event)).toMatchObject({ verdict: 'early', state: 'CREATED' });
  expect(await transitions(id)).toEqual([]);
  await books.domain.applyNews(reportOf(id, 'submit'));
  expect(await books.domain.applyNews(event)).toMatchObject({ verdict: 'moved', state: 'SUCCEEDED' });

  const other = await recharged(books.domain, {});
  expect(await books.domain.applyNews(reportOf(other, 'settled', { mayWait: false }))).toMatchObject({
    verdict: 'conflict',
    state: 'CREATED',
  });
});

test('the answer to a claim is decided without a read, and decided again if another report was faster', async () => {
  const [quiet, overtaken] = await Promise.all([recharged(books.domain, {}), recharged(books.domain, {})]);
  const claimed = async (id: string) => (await books.domain.applyNews(reportOf(id, 'submit'))).claim!;
  const answer = async (id: string, { attempt, callId, seen }: Claim) =>
    books.domain.applyNews(
      reportOf(id, 'accepted', { attempt, seen, calls: [submitAnswer(callId, attempt, 'accepted')] }),
    );
  expect(await answer(quiet, await claimed(quiet))).toMatchObject({ state: 'PENDING_CONFIRMATION' });
  const claim = await claimed(overtaken);
  await other.applyNews(reportOf(overtaken, 'settled'));
  expect(await answer(overtaken, claim)).toMatchObject({ verdict: 'stale', state: 'SUCCEEDED' });
  expect((await calls(overtaken)).map(({ outcome }) => outcome)).toEqual(['accepted']);
});

test('two processes with the same 50 jobs open 50 attempts', async () => {
  const ids = await Promise.all(times(50, () => recharged(books.domain, {})));
  await other.ping();
  const answers = await Promise.all(
    [books.domain, other].flatMap((domain) => ids.map((id) => domain.applyNews(reportOf(id, 'submit')))),
  );
  const claimed = answers.flatMap(({ claim }) => (claim ? [`${claim.transactionId} ${claim.attempt}`] : []));
  expect(claimed.toSorted()).toEqual(ids.map((id) => `${id} 1`).toSorted());
});

test('a recharge is due again after the time of its submit, to be asked about', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  const { state, next_step, due_in_s } = await row(id);
  expect({ state, next_step }).toEqual({ state: 'SUBMITTED', next_step: 'ask' });
  // In these books the time limit of a submit is eight seconds: one for the call, and the margin of seven.
  expect(due_in_s).toBeGreaterThan(6);
  expect(due_in_s).toBeLessThanOrEqual(8);
});

test('a worker of another provider gets no claim for a hint in the wrong queue', async () => {
  const id = await recharged(books.domain, {});
  const wrong = await books.domain.applyNews(reportOf(id, 'submit', { provider: 'alipay' }));
  expect(wrong).toEqual({
    verdict: 'unknown_transaction',
    state: null,
    createdAt: null,
    claim: null,
    delivery: null,
  });
  const right = await books.domain.applyNews(reportOf(id, 'submit', { provider: 'sandbox' }));
  expect(right.claim).toMatchObject({ attempt: 1 });
});

test('a report about a missing transaction is answered unknown_transaction', async () => {
  const heard = await books.domain.applyNews(reportOf(uuidv7(), 'settled'));
  expect(heard).toEqual({
    verdict: 'unknown_transaction',
    state: null,
    createdAt: null,
    claim: null,
    delivery: null,
  });
});

describe('an event', () => {
  const keepEvent = async (transactionId: string) => {
    const id = uuidv7();
    const rawBody = Buffer.from(transactionId);
    await books.domain.inbox.keep({ id, provider: 'sandbox', eventId: id, rawBody, correlationId: 'c' });
    return id;
  };

  test('is processed once by 20 reports at once', async () => {
    const id = await recharged(books.domain, {}, 'submit');
    const eventId = await keepEvent(id);
    const answers = await Promise.all(
      times(20, (n) =>
        (n % 2 ? other : books.domain).applyNews(reportOf(id, 'settled', { source: 'webhook', eventId })),
      ),
    );
    const verdicts = answers.map(({ verdict }) => verdict).sort();
    expect(verdicts).toEqual(['moved', ...times(19, () => 'repeated')]);
    expect((await transitions(id)).map(({ news }) => news)).toEqual(['submit', 'settled']);
    const [event] = await books.rows(
      'select processed_at, due_at, verdict, transaction_id from webhook_event where id = $1',
      [eventId],
    );
    expect(event).toEqual({
      processed_at: expect.any(Date),
      due_at: null,
      verdict: 'moved',
      transaction_id: id,
    });
  });

  test('without new facts is marked as processed too', async () => {
    const id = await recharged(books.domain, {}, 'submit', 'settled');
    const eventId = await keepEvent(id);
    const heard = await books.domain.applyNews(reportOf(id, 'accepted', { source: 'webhook', eventId }));
    expect(heard).toMatchObject({ verdict: 'stale', state: 'SUCCEEDED' });
    expect(await books.domain.inbox.read(eventId)).toMatchObject({ processed: true });
  });
});

test('an order proven absent is sent again as attempt 2, and the first attempt no longer decides', async () => {
  const id = await recharged(books.domain, {});
  const first = (await books.domain.applyNews(reportOf(id, 'submit'))).claim!;
  await books.domain.applyNews(
    reportOf(id, 'unknown', { source: 'poll', nextStep: 'submit', notBeforeMs: 30_000 }),
  );
  expect(await row(id)).toMatchObject({ state: 'PENDING_CONFIRMATION', next_step: 'submit', attempt: 1 });
  expect((await row(id)).due_in_s).toBeGreaterThan(28);

  const claims = await Promise.all(times(10, () => books.domain.applyNews(reportOf(id, 'submit'))));
  const [second, ...more] = claims.flatMap(({ claim }) => claim ?? []);
  expect({ second: second?.attempt, more }).toEqual({ second: 2, more: [] });

  const asleep = { attempt: 1, calls: [submitAnswer(first.callId, 1, 'rejected')] };
  const late = await books.domain.applyNews(reportOf(id, 'declined', asleep));
  expect(late).toMatchObject({ verdict: 'stale', state: 'PENDING_CONFIRMATION' });
  const answer = {
    attempt: 2,
    providerOrderId: 'sbx_1',
    calls: [submitAnswer(second!.callId, 2, 'settled')],
  };
  expect(await books.domain.applyNews(reportOf(id, 'settled', answer))).toMatchObject({ state: 'SUCCEEDED' });
  expect(await calls(id)).toEqual([
    { id: first.callId, attempt: 1, operation: 'submit', outcome: 'rejected' },
    { id: second!.callId, attempt: 2, operation: 'submit', outcome: 'settled' },
  ]);
  expect(await row(id)).toMatchObject({ due_at: null, next_step: null, provider_order_id: 'sbx_1' });
});

test('a poll that repeats known facts leaves its call and a longer gap, but no transition', async () => {
  const id = await recharged(books.domain, {}, 'submit', 'accepted');
  await books.rows('update recharge_transaction set asks = 3 where id = $1', [id]);
  const call = { ...submitAnswer(uuidv7(), 1, 'accepted'), operation: 'query' as const };
  const poll = reportOf(id, 'accepted', { source: 'poll', calls: [call] });
  expect(await books.domain.applyNews(poll)).toMatchObject({
    verdict: 'stale',
    state: 'PENDING_CONFIRMATION',
  });
  expect(await transitions(id)).toHaveLength(2);
  expect((await calls(id)).map(({ operation }) => operation)).toEqual(['query', 'submit']);
  const { asks, due_in_s } = await row(id);
  expect(asks).toBe(4);
  expect(due_in_s).toBeGreaterThan(60 * 8 * 0.7);
});

test('of two contradicting answers at once, one counts and the other is filed as a conflict', async () => {
  const ids = await Promise.all(times(40, () => recharged(books.domain, {}, 'submit')));
  await Promise.all(
    ids.flatMap((id) => [
      books.domain.applyNews(reportOf(id, 'settled')),
      other.applyNews(reportOf(id, 'declined')),
    ]),
  );
  for (const id of ids) {
    const [, first, second, ...more] = await transitions(id);
    expect([first!.verdict, second!.verdict, more]).toEqual(['moved', 'conflict', []]);
    expect((await row(id)).state).toBe(first!.to);
  }
  expect(await books.domain.verify()).toEqual([]);
});

test('a report that was decided on an old version does not wait for the row’s lock', async () => {
  const id = await recharged(books.domain, {}, 'submit');
  const holder = new pg.Client({ connectionString: books.url });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query('select from recharge_transaction where id = $1 for update', [id]);
    // A second job submits a recharge that is already sent. Its report would wait if the row were locked before its
    // version is compared.
    expect(await books.domain.applyNews(reportOf(id, 'submit'))).toMatchObject({
      verdict: 'stale',
      claim: null,
    });
  } finally {
    await holder.end();
  }
});
