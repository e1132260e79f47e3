import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import type { EvidencePack } from '../../src/index.js';
import { checkEvidence, evidenceFrom } from '../../src/rules.js';
import { type Books, newRefund, openBooks, recharged, reportOf } from '../support/books.js';
import { caseSteps, late } from '../support/cases.js';

let books: Books;
beforeAll(async () => {
  books = await openBooks();
});
afterAll(() => books.close());

/** The pack as a reader of the file gets it. */
const packOf = async (id: string): Promise<EvidencePack> =>
  evidenceFrom(JSON.stringify(await books.domain.evidence(id)))!;

/** A collect of 100 cents with a call, a webhook and a refund of 40, which succeeded. */
async function settledWithRefund(): Promise<string> {
  const id = await recharged(books.domain, { amountMinor: 100n, metadata: { team: 'a' } }, 'submit');
  const event = { id: uuidv7(), provider: 'sandbox', eventId: `event-${id}`, correlationId: 'c-1' };
  await books.domain.inbox.keep({ ...event, rawBody: Buffer.from('{"secret":"whsec_never"}') });
  await books.domain.applyNews(reportOf(id, 'settled', { source: 'webhook', eventId: event.id }));
  const refund = newRefund(id, { amountMinor: 40n });
  expect(await books.domain.createRefund(refund)).toMatchObject({ ok: true });
  for (const news of ['submit', 'settled'] as const) await books.domain.applyNews(reportOf(refund.id, news));
  return id;
}

describe('a pack', () => {
  test('has the request, calls, webhooks, transitions, postings and links of a recharge and its refund, and holds', async () => {
    const id = await settledWithRefund();
    const pack = await packOf(id);
    expect(pack).toMatchObject({
      ...{ format: 'replenish-evidence/1', transactionId: id },
      recharge: { kind: 'collect', direction: 'in', state: 'SUCCEEDED', amount: 100, currency: 'USD' },
      request: { metadata: { team: 'a' }, idempotencyKey: expect.any(String) },
      parts: [{ recharge: { kind: 'refund', direction: 'out', amount: 40, refundOf: id } }],
      webhooks: [
        { eventId: `event-${id}`, verdict: 'moved', bodySha256: expect.stringMatching(/^[\da-f]{64}$/) },
      ],
      cases: [],
      actions: [],
      chain: { unsealed: [], head: { seq: pack.chain.links.at(-1)!.seq } },
    });
    expect(pack.transitions.map(({ news }) => news)).toEqual(['submit', 'settled', 'submit', 'settled']);
    expect(pack.calls.map(({ operation }) => operation)).toEqual(['submit', 'submit']);
    expect(pack.postings.map(({ slot, amount }) => [slot, amount])).toEqual([
      ['collect', 100],
      ['hold', 40],
      ['settle', 40],
    ]);
    expect(pack.chain.links).toHaveLength(7);
    expect(checkEvidence(pack)).toMatchObject({ ok: true, faults: [] });
    expect(JSON.stringify(pack)).not.toContain('whsec_never');
  });

  test('of adopted late money names the case and the decision, and holds', async () => {
    const { withCase, resolve } = caseSteps(books);
    const { id, caseId } = await withCase({}, ...late);
    expect(checkEvidence(await packOf(id))).toMatchObject({ ok: true });
    expect(await resolve(caseId, 'adopt')).toMatchObject({ ok: true });
    const pack = await packOf(id);
    expect(pack.cases).toMatchObject([{ caseId, kind: 'late_money', verb: 'adopt' }]);
    expect(pack.actions).toMatchObject([{ caseId, verb: 'adopt', actor: 'tester' }]);
    expect(pack.postings.map(({ slot }) => slot)).toEqual(['suspense', 'adopt']);
    expect(checkEvidence(pack)).toMatchObject({ ok: true, faults: [] });
  });

  test.each([['submit'], ['submit', 'declined'], ['withdraw'], ['submit', 'accepted', 'canceled']] as const)(
    'of a recharge after %s %s holds',
    async (...news) => {
      const id = await recharged(books.domain, {}, ...news.filter((one) => one !== undefined));
      expect(checkEvidence(await packOf(id))).toMatchObject({ ok: true, faults: [] });
    },
  );

  test('has nothing with which a payer pays', async () => {
    const id = await recharged(books.domain, {}, 'submit');
    const action = { type: 'client_secret', value: 'pi_1_secret_never', expiresAt: null } as const;
    await books.domain.applyNews(reportOf(id, 'accepted', { action }));
    expect((await books.domain.reads.recharge(id))!.action).toMatchObject({ value: 'pi_1_secret_never' });
    expect(JSON.stringify(await books.domain.evidence(id))).not.toContain('never');
  });

  test('of an unknown recharge does not exist', async () => {
    expect(await books.domain.evidence(uuidv7())).toBeNull();
    expect(await books.domain.evidence('no id')).toBeNull();
  });
});

type Draft = {
  -readonly [Name in keyof EvidencePack]: EvidencePack[Name] extends readonly (infer Row)[]
    ? Row[]
    : EvidencePack[Name];
};

describe('a changed pack is found out', () => {
  let whole: EvidencePack;
  beforeAll(async () => {
    whole = await packOf(await settledWithRefund());
  });

  const changes: [what: string, change: (pack: Draft) => void, fault: RegExp][] = [
    [
      'an amount',
      (p) => Object.assign(p.postings[0]!, { amount: 99 }),
      /journal .* is not what its link covers/,
    ],
    [
      'a time',
      (p) => Object.assign(p.transitions[1]!, { at: '2026-01-01T00:00:00.000Z' }),
      /is not what its link/,
    ],
    ['a reason', (p) => Object.assign(p.transitions[1]!, { reason: 'other' }), /is not what its link covers/],
    [
      'a posting left out',
      (p) => p.postings.splice(0, 1),
      /has a link and is missing|posting collect.* is missing/,
    ],
    ['a transition left out', (p) => p.transitions.splice(0, 1), /transition 1 is missing/],
    ['another state', (p) => Object.assign(p.recharge, { state: 'FAILED' }), /the recharge is FAILED/],
    ['another amount of the recharge', (p) => Object.assign(p.recharge, { amount: 1 }), /no state calls for/],
    ['a sum', (p) => Object.assign(p.sums[0]!, { sum: 7 }), /add up to/],
    ['a link left out', (p) => (p.chain = { ...p.chain, links: p.chain.links.slice(1) }), /is not sealed/],
    ['the text of a link', (p) => Object.assign(p.chain.links[0]!, { body: '[]' }), /another hash/],
    ['the hash of a link', (p) => Object.assign(p.chain.links[0]!, { hash: '0'.repeat(64) }), /another hash/],
    ['a head before its links', (p) => Object.assign(p.chain.head!, { seq: 1 }), /head of the chain/],
    ['another recharge', (p) => (p.transactionId = uuidv7()), /about another recharge/],
    ['an amount as text', (p) => Object.assign(p.postings[0]!, { amount: '100' }), /no exact amount/],
    ['a recharge without an amount', (p) => Object.assign(p.recharge, { amount: null }), /cannot be read/],
  ];

  test.each(changes)('%s', (_what, change, fault) => {
    const draft = structuredClone(whole) as Draft;
    change(draft);
    const { ok, faults, proven } = checkEvidence(draft);
    expect({ ok, proven }).toEqual({ ok: false, proven: [] });
    expect(faults.join('\n')).toMatch(fault);
  });

  test('a posting that was changed together with its link, by the hash of the link', () => {
    const draft = structuredClone(whole) as Draft;
    const posting = draft.postings[0]!;
    const link = draft.chain.links.find(({ rowKey }) => rowKey === posting.journalId)!;
    Object.assign(posting, { amount: 99 });
    Object.assign(link, { body: link.body.replace('100', '99') });
    expect(checkEvidence(draft).faults.join('\n')).toMatch(/has another hash than what it covers/);
  });

  test('text that is no pack is told apart', () => {
    for (const text of ['', 'hello', '[]', 'null', '{"format":"replenish-evidence/1"}'])
      expect(evidenceFrom(text)).toBeNull();
  });
});

test('a row that was changed in the database past the guards is found out', async () => {
  const id = await recharged(books.domain, { amountMinor: 100n }, 'submit', 'settled');
  expect(checkEvidence(await packOf(id)).ok).toBe(true);
  await books.rows(`
    begin;
    set local session_replication_role = replica;
    update ledger_entry set amount_minor = 101 where transaction_id = '${id}';
    commit`);
  const { ok, faults } = checkEvidence(await packOf(id));
  expect(ok).toBe(false);
  expect(faults.join('\n')).toMatch(/another hash/);
});
