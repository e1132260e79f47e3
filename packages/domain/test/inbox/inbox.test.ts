import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { SignedEvent } from '../../src/index.js';
import { type Books, openBooks, recharged, reportOf, times } from '../support/books.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

const signedEvent = (over: Partial<SignedEvent> = {}): SignedEvent => {
  const id = uuidv7();
  return {
    id,
    provider: 'sandbox',
    eventId: id,
    rawBody: Buffer.from('{"a":1}'),
    correlationId: 'c-1',
    ...over,
  };
};
const cases = (subject: string) =>
  books.rows('select kind, transaction_id, detail from reconciliation_case where subject = $1', [subject]);

describe('an event', () => {
  test('is stored with its exact bytes, unprocessed', async () => {
    const bytes = signedEvent({ rawBody: Buffer.from([0, 255, 10, 92, 39]) });
    expect(await books.domain.inbox.keep(bytes)).toEqual({ id: bytes.id, verdict: 'kept' });
    const stored = await books.domain.inbox.read(bytes.id);
    expect(stored).toMatchObject({ eventId: bytes.eventId, correlationId: 'c-1', processed: false });
    expect(stored!.rawBody.equals(bytes.rawBody)).toBe(true);
    expect(stored!.ageMs).toBeGreaterThanOrEqual(0);
    expect(await books.domain.inbox.read(uuidv7())).toBeNull();
  });

  test('that arrives 50 times at once at two processes is one row', async () => {
    const domains = [books.domain, books.open()];
    const kept = await Promise.all(
      times(50, (n) => domains[n % 2]!.inbox.keep(signedEvent({ eventId: 'often' }))),
    );
    expect(new Set(kept.map(({ id }) => id)).size).toBe(1);
    expect(kept.map(({ verdict }) => verdict).toSorted()).toEqual(['kept', ...times(49, () => 'repeated')]);
    expect(await books.rows(`select 1 from webhook_event where event_id = 'often'`)).toHaveLength(1);
    expect(await cases('sandbox:often')).toEqual([]);
  });

  test('that arrives again with another body keeps its first body, and opens one case', async () => {
    const first = signedEvent({ eventId: 'changed' });
    await books.domain.inbox.keep(first);
    for (const text of ['{"a":2}', '{"a":3}']) {
      const other = signedEvent({ eventId: 'changed', rawBody: Buffer.from(text) });
      expect(await books.domain.inbox.keep(other)).toEqual({ id: first.id, verdict: 'changed' });
    }
    expect((await books.domain.inbox.read(first.id))!.rawBody.equals(first.rawBody)).toBe(true);
    const detail = { eventId: 'changed', body: '{"a":2}' };
    expect(await cases('sandbox:changed')).toEqual([{ kind: 'event_changed', transaction_id: null, detail }]);
  });

  test('that arrives again with another body opens a case of its recharge', async () => {
    const id = await recharged(books.domain, {}, 'submit');
    const first = signedEvent({ eventId: 'spoken' });
    await books.domain.inbox.keep(first);
    await books.domain.applyNews(reportOf(id, 'settled', { source: 'webhook', eventId: first.id }));
    await books.domain.inbox.keep(signedEvent({ eventId: 'spoken', rawBody: Buffer.from('{"a":2}') }));
    expect(await cases('sandbox:spoken')).toMatchObject([{ kind: 'event_changed', transaction_id: id }]);
  });

  test.each([
    ['a NUL', Buffer.from('{"a":"\0"}')],
    ['an emoji that the cut of the case halves', Buffer.from(`${'x'.repeat(3_999)}\u{1f4b8}`)],
  ])('whose body Postgres cannot store as text has its case: %s', async (_what, rawBody) => {
    const eventId = `unstorable-${rawBody.length}`;
    const first = signedEvent({ eventId });
    await books.domain.inbox.keep(first);
    await books.domain.inbox.keep(signedEvent({ eventId, rawBody }));
    const event = (await books.domain.inbox.read(first.id))!;
    await books.domain.inbox.fileUnmatched(event, { body: rawBody.toString().slice(0, 4_000) });
    expect((await cases(`sandbox:${eventId}`)).map(({ kind }) => kind).toSorted()).toEqual([
      'event_changed',
      'unknown_order',
    ]);
  });

  test('of another provider with the same id is another event', async () => {
    await books.domain.inbox.keep(signedEvent({ eventId: 'same' }));
    expect(await books.domain.inbox.keep(signedEvent({ eventId: 'same', provider: 'alipay' }))).toMatchObject(
      {
        verdict: 'kept',
      },
    );
  });
});

describe('the transaction of an event', () => {
  test('is found by our reference or, without one, by the provider’s order id', async () => {
    const id = await recharged(books.domain, {}, 'submit');
    await books.domain.applyNews(reportOf(id, 'accepted', { providerOrderId: 'sbx_match' }));
    const match = (reference: string | null, providerOrderId: string | null, provider = 'sandbox') =>
      books.domain.inbox.match({ provider, reference, providerOrderId });
    expect(await match(id.toUpperCase(), 'other')).toBe(id);
    expect(await Promise.all([match(null, 'sbx_match'), match('no uuid', 'sbx_match')])).toEqual([id, id]);
    expect(await Promise.all([match(null, 'sbx_match', 'alipay'), match(null, null)])).toEqual([null, null]);
  });

  test('is unknown if the reference names no recharge, or one at another provider', async () => {
    const id = await recharged(books.domain, {}, 'submit');
    const nobodys = [reportOf(uuidv7(), 'settled'), reportOf(id, 'settled', { provider: 'alipay' })];
    for (const report of nobodys)
      expect(await books.domain.applyNews(report)).toMatchObject({
        verdict: 'unknown_transaction',
        state: null,
      });
    expect(await books.domain.applyNews(reportOf(id, 'settled', { provider: 'sandbox' }))).toMatchObject({
      verdict: 'moved',
    });
  });

  test('is missing: the event is marked as processed, with one case', async () => {
    const lost = signedEvent({ eventId: 'lost' });
    await books.domain.inbox.keep(lost);
    const event = (await books.domain.inbox.read(lost.id))!;
    for (const note of ['first', 'again']) await books.domain.inbox.fileUnmatched(event, { note });
    expect(await cases('sandbox:lost')).toEqual([
      { kind: 'unknown_order', transaction_id: null, detail: { note: 'first' } },
    ]);
    expect(await books.rows('select verdict, due_at from webhook_event where id = $1', [lost.id])).toEqual([
      { verdict: 'conflict', due_at: null },
    ]);
    expect(await books.domain.inbox.read(lost.id)).toMatchObject({ processed: true });
  });
});
