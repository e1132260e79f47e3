import { describe, expect, test } from '@jest/globals';
import type { CaseKind, KnownCase } from '../../src/core/cases/case-kinds.js';
import { factsOf, needsEvidence, type Verb, verbs, verbsFor } from '../../src/core/cases/case-verbs.js';
import { refusalOf } from '../../src/core/cases/resolution.js';
import { type Decision, decide, type Recharge } from '../../src/core/decision.js';
import { type Kind, kinds } from '../../src/core/money/postings.js';
import { type State, states } from '../../src/core/recharge.js';
import { openCase, recharge, report } from '../support/recharge.js';

const caseKinds = [
  'wrong_amount',
  'several_orders',
  'other_account',
  'unsent_order',
  'late_money',
  'declined_after_success',
  'cancel_conflict',
  'absent_order',
  'absence_unproven',
  'unknown_order',
  'unread_event',
  'unprocessable',
  'unprocessable_event',
  'event_changed',
  'statement_ours_only',
  'statement_different',
] as const satisfies readonly CaseKind[];
const own = { amountMinor: 4_999n, currency: 'USD', providerOrderId: 'sbx_1' };
const less = { ...own, amountMinor: 4_998n };
const holdings = [
  [],
  [own],
  [less],
  [less, own],
  [{ ...own, providerOrderId: null }],
  [own, { ...own, currency: 'EUR' }],
];

const resolved = ({ id, suspended }: KnownCase, verb: Verb, isReturnable = true) =>
  report('resolved', {
    source: 'operator',
    resolution: { caseId: id, verb, reason: 'as tested', isReturnable, seenSums: suspended.length },
  });

/** Every recharge with one case, with the verbs that the case has. */
function* everyCase(): Generator<{ r: Recharge; one: KnownCase; offered: readonly Verb[] }> {
  for (const kind of kinds)
    for (const state of states)
      for (const caseKind of caseKinds)
        for (const suspended of holdings) {
          const one = openCase(caseKind, ...suspended);
          const slots = suspended.length > 0 ? ['suspense'] : [];
          const r = recharge(state, { kind, slots, openCases: [caseKind], cases: [one] });
          yield { r, one, offered: verbsFor(caseKind, factsOf(one, { ...r, isReturnable: true })) };
        }
}

const moved = ({ journal, furtherJournal }: Decision) =>
  [journal, furtherJournal].flatMap(
    (one) => one?.postings.map((posting) => ({ slot: one.slot, ...posting })) ?? [],
  );

const signed = (kind: Kind, r: Decision): bigint[] => {
  const isIn = kind === 'collect' || kind === 'recall';
  return moved(r)
    .filter(({ debit, credit }) => (isIn ? debit : credit) === 'suspense:sandbox')
    .map(({ money }) => money.amountMinor);
};

test('every case has a verb, and a verb is taken exactly if it is offered', () => {
  let count = 0;
  for (const { r, one, offered } of everyCase()) {
    expect(offered.length).toBeGreaterThan(0);
    for (const verb of verbs) {
      const { resolution } = resolved(one, verb);
      expect(refusalOf(r, resolution!)).toBe(offered.includes(verb) ? null : 'verb_not_offered');
      count++;
    }
  }
  expect(count).toBe(kinds.length * states.length * caseKinds.length * holdings.length * verbs.length);
});

test('each verb files its decision, and only adopt and return take money out of suspense, all of it', () => {
  for (const { r, one, offered } of everyCase()) {
    for (const verb of offered) {
      const decision = decide(r, resolved(one, verb));
      expect({ filed: decision.filed, claimed: decision.claimed, opens: decision.openCase }).toEqual({
        filed: true,
        claimed: false,
        opens: null,
      });
      const taken = signed(r.kind, decision).reduce((sum, minor) => sum + minor, 0n);
      const held = one.suspended.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      const returned = decision.resolved?.returned?.amountMinor ?? 0n;
      expect([verb, taken + returned]).toEqual([verb, verb === 'adopt' || verb === 'return' ? held : 0n]);
    }
  }
});

test('a recharge succeeds by a person only out of FAILED or CANCELED, with money of its own amount', () => {
  for (const { r, one, offered } of everyCase()) {
    for (const verb of offered) {
      const { to, continuation, journal } = decide(r, resolved(one, verb));
      if (to !== 'SUCCEEDED' || r.state === 'SUCCEEDED') continue;
      expect(['FAILED', 'CANCELED']).toContain(r.state);
      expect({ verb, kind: one.kind, slot: journal?.slot, continuation }).toEqual({
        verb: 'adopt',
        kind: 'late_money',
        slot: 'adopt',
        continuation: null,
      });
      expect(journal!.postings.map(({ money }) => money.amountMinor)).toEqual([r.amountMinor]);
    }
  }
});

const offeredIn = (state: State, one: KnownCase, isReturnable = false) =>
  verbsFor(one.kind, factsOf(one, { state, cases: [one], isReturnable }));

describe('the verbs', () => {
  test.each([
    ['PENDING_CONFIRMATION', openCase('absent_order'), ['fail', 'resubmit', 'dismiss']],
    ['SUBMITTED', openCase('absence_unproven'), ['fail', 'dismiss']],
    ['PENDING_CONFIRMATION', openCase('wrong_amount'), ['fail', 'dismiss']],
    ['PENDING_CONFIRMATION', openCase('statement_different'), ['dismiss']],
    ['PENDING_CONFIRMATION', openCase('wrong_amount', less), ['adopt']],
    ['FAILED', openCase('late_money', own), ['adopt']],
    ['SUCCEEDED', openCase('declined_after_success'), ['dismiss']],
    ['CREATED', openCase('unsent_order'), ['dismiss']],
    ['PENDING_CONFIRMATION', openCase('unprocessable'), ['dismiss']],
    ['FAILED', { ...openCase('late_money', own), isOpen: false }, []],
    ['FAILED', { ...openCase('statement_different'), ownLine: own }, ['adopt', 'dismiss']],
    ['CANCELED', { ...openCase('statement_different'), ownLine: own }, ['adopt', 'dismiss']],
    ['SUBMITTED', { ...openCase('statement_different'), ownLine: own }, ['dismiss']],
    ['SUCCEEDED', { ...openCase('statement_different'), ownLine: own }, ['dismiss']],
  ] as const)('in %s of %j', (state, one, expected) => {
    expect(offeredIn(state, one)).toEqual(expected);
  });

  test('return is offered where the provider refunds, and one refund can pay it back', () => {
    expect(offeredIn('FAILED', openCase('late_money', own), true)).toEqual(['adopt', 'return']);
    expect(offeredIn('FAILED', openCase('late_money', own, less), true)).toEqual(['adopt', 'return']);
    for (const other of [
      { ...own, providerOrderId: null },
      { ...own, providerOrderId: 'sbx_2' },
      { ...own, currency: 'EUR' },
    ])
      expect(offeredIn('FAILED', openCase('late_money', own, other), true)).toEqual(['adopt']);
  });

  test('of a case without a recharge is to dismiss it', () => {
    const facts = {
      state: null,
      isOpen: true,
      suspended: [],
      hasSuspense: false,
      hadSuspense: false,
      hasOwnLine: false,
    };
    expect(verbsFor('unknown_order', { ...facts, isReturnable: true })).toEqual(['dismiss']);
  });

  test('money of another case keeps a recharge from being failed or sent again', () => {
    const absent = openCase('absent_order');
    const cases = [absent, openCase('several_orders', own)];
    const facts = factsOf(absent, { state: 'PENDING_CONFIRMATION', cases, isReturnable: false });
    expect(verbsFor('absent_order', facts)).toEqual(['dismiss']);
  });

  test('that state a fact about the provider need evidence', () => {
    expect(verbs.filter(needsEvidence)).toEqual(['adopt', 'fail', 'resubmit']);
  });
});

describe('a resolution', () => {
  test('credits a wrong amount and ends the recharge as failed, with its hold given back', () => {
    const one = openCase('wrong_amount', less);
    const r = recharge('PENDING_CONFIRMATION', {
      kind: 'deliver',
      slots: ['hold', 'suspense'],
      cases: [one],
    });
    const decision = decide(r, resolved(one, 'adopt'));
    expect(decision).toMatchObject({
      to: 'FAILED',
      nextStep: null,
      resolved: { failure: { code: 'WRONG_AMOUNT' } },
    });
    expect(moved(decision)).toEqual([
      {
        slot: 'reverse',
        debit: 'wallet:acct-1:frozen',
        credit: 'wallet:acct-1:available',
        money: { amountMinor: 4_999n, currency: 'USD' },
      },
      {
        slot: 'credit',
        debit: 'wallet:acct-1:available',
        credit: 'suspense:sandbox',
        money: { amountMinor: 4_998n, currency: 'USD' },
      },
    ]);
  });

  test('sends an absent order again as if the provider had never had it', () => {
    const one = openCase('absent_order');
    const r = recharge('PENDING_CONFIRMATION', {
      confirmation: 'acknowledged',
      providerOrderId: 'sbx_1',
      cases: [one],
    });
    const decision = decide(r, resolved(one, 'resubmit'));
    expect(decision).toMatchObject({
      to: 'PENDING_CONFIRMATION',
      nextStep: 'submit',
      confirmation: 'unknown',
    });
    expect(decision.resolved).toMatchObject({ reported: 'resolved', isSentAgain: true });
  });

  test('leaves a dismissed recharge as it was', () => {
    const one = openCase('absent_order');
    const r = recharge('PENDING_CONFIRMATION', { confirmation: 'acknowledged', cases: [one] });
    const { verdict, to, nextStep, confirmation, journal } = decide(r, resolved(one, 'dismiss'));
    expect({ verdict, to, nextStep, confirmation, journal }).toEqual({
      ...{
        verdict: 'stale',
        to: 'PENDING_CONFIRMATION',
        nextStep: 'ask',
        confirmation: 'acknowledged',
        journal: null,
      },
    });
  });

  test('of money that a person has decided about makes the repeated report stale', () => {
    for (const isOpen of [true, false]) {
      const known = { ...openCase('late_money', { ...own, providerOrderId: null }), isOpen };
      const r = recharge('FAILED', {
        slots: ['suspense'],
        cases: [known],
        openCases: isOpen ? ['late_money'] : [],
      });
      expect(decide(r, report('settled'))).toMatchObject({
        verdict: isOpen ? 'conflict' : 'stale',
        openCase: null,
        journal: null,
      });
    }
  });

  test('leaves a second amount to be suspended, under a slot of its own', () => {
    const known = openCase('wrong_amount', less);
    const r = recharge('PENDING_CONFIRMATION', {
      slots: ['suspense'],
      cases: [known],
      openCases: ['wrong_amount'],
    });
    const more = report('settled', { money: { amountMinor: 7n, currency: 'USD' }, source: 'poll' });
    expect(decide(r, more)).toMatchObject({
      openCase: 'wrong_amount',
      filed: true,
      suspended: { amountMinor: 7n },
      journal: { slot: 'suspense_2' },
    });
  });
});

describe('later facts settle a case', () => {
  test.each([
    ['absent_order', 'PENDING_CONFIRMATION', 'accepted'],
    ['absent_order', 'PENDING_CONFIRMATION', 'settled'],
    ['absence_unproven', 'PENDING_CONFIRMATION', 'declined'],
    ['unsent_order', 'SUBMITTED', 'settled'],
    ['unsent_order', 'SUBMITTED', 'accepted'],
    ['wrong_amount', 'PENDING_CONFIRMATION', 'settled'],
  ] as const)('%s in %s by %s', (kind, state, heard) => {
    const one = openCase(kind);
    const decision = decide(
      recharge(state, { cases: [one], openCases: [kind] }),
      report(heard, { source: 'poll' }),
    );
    expect(decision).toMatchObject({ settled: [{ caseId: one.id }], filed: true });
  });

  test.each([
    ['money in suspense', openCase('wrong_amount', less), report('settled')],
    ['silence', openCase('absent_order'), report('unknown')],
    ['another order', openCase('absent_order'), report('settled', { accountId: 'acct-2' })],
    ['a case that is closed', { ...openCase('absent_order'), isOpen: false }, report('settled')],
  ] as const)('but not with %s', (_what, one, said) => {
    const r = recharge('PENDING_CONFIRMATION', { cases: [one] });
    expect(decide(r, said).settled).toEqual([]);
  });
});
