import { describe, expect, test } from '@jest/globals';
import { type Asked, nextStep, type QueryEvidence } from '../../src/core/next-step.js';
import { isFinal, states } from '../../src/core/recharge.js';

const MINUTE_MS = 60_000;
const ended = new Date('2026-11-28T00:00:00Z');
const at = (minutes: number) => new Date(ended.getTime() + minutes * MINUTE_MS);
const proof = { scans: 3, visibilityDelayMs: 30 * MINUTE_MS, resubmit: 'auto' } as const;
const searched = { idempotentSubmit: false, queryByReference: false, proof };

const asked = (over: Partial<Asked> = {}): Asked => ({
  state: 'PENDING_CONFIRMATION',
  confirmation: 'unknown',
  evidence: 'absent',
  absentAt: [],
  lastSubmitEndedAt: ended,
  now: at(31),
  ...over,
});
/** The facts after searches at these minutes since the last submit ended. */
const after = (...minutes: number[]) => asked({ absentAt: minutes.map(at), now: at(minutes.at(-1) ?? 0) });

const evidences: readonly QueryEvidence[] = ['found', 'absent', 'unproven', 'silent'];
const confirmations = [null, 'unknown', 'acknowledged'] as const;
const abilities = [true, false].flatMap((idempotentSubmit) =>
  [true, false].flatMap((queryByReference) =>
    [undefined, proof, { ...proof, resubmit: 'person' as const }].map((own) => ({
      idempotentSubmit,
      queryByReference,
      ...(own && { proof: own }),
    })),
  ),
);
const searches = [[], [1], [1, 11, 21], [1, 11, 31], [1, 2, 31], [1, 11, 21, 31]];

describe('over the whole space', () => {
  const space = abilities.flatMap((can) =>
    states.flatMap((state) =>
      confirmations.flatMap((confirmation) =>
        evidences.flatMap((evidence) =>
          searches.map((minutes) => ({
            can,
            facts: { ...after(...minutes), state, confirmation, evidence },
            isProven: minutes.length >= 3 && minutes[1]! > 2 && minutes.at(-1)! >= 30,
          })),
        ),
      ),
    ),
  );

  test('a final recharge has no next step, and one that was never sent is submitted', () => {
    for (const { can, facts } of space) {
      const { step } = nextStep(facts, can);
      if (isFinal(facts.state)) expect(step).toBeNull();
      else if (facts.state === 'CREATED') expect(step).toBe('submit');
      else expect(step).not.toBeNull();
    }
  });

  test('a sent order is sent again only where that cannot move money twice', () => {
    for (const { can, facts, isProven } of space) {
      if (isFinal(facts.state) || facts.state === 'CREATED') continue;
      const { evidence, confirmation } = facts;
      const byProof = can.proof?.resubmit === 'auto' && isProven && confirmation !== 'acknowledged';
      const byKey = !can.proof && can.idempotentSubmit;
      const allowed = can.proof
        ? evidence === 'absent' && byProof
        : byKey &&
          (can.queryByReference
            ? evidence === 'absent'
            : evidence !== 'found' && confirmation !== 'acknowledged');
      expect([facts, can, nextStep(facts, can).step]).toEqual([facts, can, allowed ? 'submit' : 'ask']);
    }
  });

  test('a case is opened only where a person has to decide', () => {
    for (const { can, facts, isProven } of space) {
      const { step, waiting, doubt } = nextStep(facts, can);
      if (doubt === 'absent_order') {
        expect(facts.evidence).toBe('absent');
        expect(can.proof ? isProven : !can.idempotentSubmit).toBe(true);
      }
      if (doubt === 'absence_unproven') expect(facts.evidence).toBe('unproven');
      if (doubt) expect(step).toBe('ask');
      if (waiting) expect([step, facts.confirmation === 'acknowledged']).toEqual(['ask', false]);
    }
  });
});

describe('the proof of absence', () => {
  const progress = (facts: Asked) => nextStep(facts, searched).waiting;

  test('takes all searches, and the last one begins when every row is visible', () => {
    expect(progress(after(1))).toEqual({
      reason: 'PROOF',
      done: 1,
      needed: 3,
      notBefore: at(11).toISOString(),
    });
    expect(progress(after(1, 11))).toMatchObject({ done: 2, notBefore: at(30).toISOString() });
    expect(progress(after(1, 11, 21))).toMatchObject({ done: 2, notBefore: at(30).toISOString() });
    expect(nextStep(after(1, 11, 29.99), searched).step).toBe('ask');
    expect(nextStep(after(1, 11, 30), searched)).toEqual({ step: 'submit', waiting: null, doubt: null });
  });

  test('a search that follows too soon does not count', () => {
    expect(progress(after(28, 29, 31))).toMatchObject({ done: 1, notBefore: at(38).toISOString() });
  });

  test('a search from before the end of the last submit does not count', () => {
    expect(progress(after(-20, -10, 31))).toMatchObject({ done: 1 });
  });

  test('the case of a proven absence is a person’s where the provider account says so', () => {
    const byPerson = { ...searched, proof: { ...proof, resubmit: 'person' as const } };
    expect(nextStep(after(1, 11, 31), byPerson)).toEqual({
      step: 'ask',
      waiting: null,
      doubt: 'absent_order',
    });
  });

  test('an acknowledged order is never sent again, and its proven absence is a case', () => {
    const facts = { ...after(1, 11, 31), confirmation: 'acknowledged' as const };
    expect(nextStep(facts, searched)).toMatchObject({ step: 'ask', doubt: 'absent_order' });
  });

  test('a search that still proves nothing when every row must be visible is a case', () => {
    expect(nextStep(asked({ evidence: 'unproven', now: at(29) }), searched).doubt).toBeNull();
    expect(nextStep(asked({ evidence: 'unproven', now: at(30) }), searched)).toMatchObject({
      step: 'ask',
      doubt: 'absence_unproven',
    });
  });
});
