import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { withBooks } from '../../src/fleet/producer.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 12_345;
// What each simulated customer begins with: its credit line, and the consumed part of its quota.
const CREDIT_LINE = 1_000_000_000;

const answered = [
  'timeout_after_transfer',
  'reset_after_transfer',
  'server_error_after_transfer',
  'html_answer',
] as const;
const points = [
  ...['submission.after-claim', 'submission.after-call', 'submission.after-answer'],
  ...['reconciliation.after-take', 'reconciliation.after-query'],
];

type Customer = { creditLine: number; deductions: { amount: number }[] };

let stage: WholeStage;
const openAgency = async (by: 'deduct' | 'credit_line') => {
  stage = await WholeStage.open({
    env: { ALIBABA_CLOUD_RAIL: 'agency', ALIBABA_CLOUD_SITE: 'international', ALIBABA_CLOUD_AGENCY_CALL: by },
  });
};

/** A delivery that the house pays. The simulator does with it as the scenario says. */
async function delivered(scenario: string | null) {
  const { accountId, to } = await stage.newPayee('USD');
  if (scenario) await stage.control('alibaba/behave', { scenario, to });
  const id = await stage.recharge(accountId, 'fund_account', AMOUNT, { currency: 'USD' });
  const customer = () => stage.shown<Customer>(`alibaba/agency-customers/${to}`);
  return { id, customer };
}

/** The agency rail stores no reference of ours, so the tests compare what each customer got, and the books stand alone. */
const brokenRules = () => withBooks(stage.fleet, (domain) => domain.verify());

describe('agency by deductions', () => {
  beforeAll(() => openAgency('deduct'));
  afterAll(() => stage?.close());

  test.each([null, ...answered, 'timeout_before_transfer'])(
    '%s: one deduction, found or made',
    async (scenario) => {
      const { id, customer } = await delivered(scenario);
      await stage.succeeds(id, 1);
      expect((await customer()).deductions).toMatchObject([{ amount: AMOUNT }]);
    },
  );

  test.each(points)('the worker dies at %s: one deduction', async (point) => {
    stage.fleet.arm(point);
    const scenario = point.startsWith('reconciliation') ? 'timeout_after_transfer' : null;
    const { id, customer } = await delivered(scenario);
    await stage.fleet.crashed(point, TEST_LIMIT_MS);
    await stage.succeeds(id, 1);
    expect((await customer()).deductions).toMatchObject([{ amount: AMOUNT }]);
  });

  test('the books hold', async () => {
    expect(await brokenRules()).toEqual([]);
  });
});

describe('agency by the credit line', () => {
  beforeAll(() => openAgency('credit_line'));
  afterAll(() => stage?.close());

  test.each([null, ...answered])('%s: the line is raised once', async (scenario) => {
    const { id, customer } = await delivered(scenario);
    await stage.succeeds(id, 1);
    expect(await customer()).toMatchObject({ creditLine: CREDIT_LINE + AMOUNT });
  });

  test.each([
    ['fail', 'FAILED'],
    ['dismiss', 'PENDING_CONFIRMATION'],
  ])(
    'timeout_before_transfer: nothing tells whether the line was raised for it, so a person decides by %s, once',
    async (verb, state) => {
      const { id, customer } = await delivered('timeout_before_transfer');
      const { kind, caseId, verbs } = await stage.caseOf(id);
      expect([kind, verbs]).toEqual(['absence_unproven', ['fail', 'dismiss']]);
      expect((await stage.read(id)).waiting).toMatchObject({ reason: 'PERSON', caseId });
      const resolution = { verb, reason: 'as tested', evidence: { creditLine: CREDIT_LINE } };
      const decide = () => stage.post(`/v1/cases/${caseId}/resolutions`, resolution);
      const statuses = (await Promise.all([decide(), decide()])).map((answer) => answer.status);
      expect(statuses.toSorted()).toEqual([200, 409]);
      await stage.reads(id, { state });
      const open = await stage.rows(
        `select from report.cases where case_id = '${caseId}' and closed_at is null`,
      );
      expect(open).toEqual([]);
      expect(await customer()).toMatchObject({ creditLine: CREDIT_LINE });
    },
  );

  test('the books hold', async () => {
    expect(await brokenRules()).toEqual([]);
  });
});

describe('the quota of a virtual operator', () => {
  beforeAll(async () => {
    stage = await WholeStage.open({ env: { ALIBABA_CLOUD_RAIL: 'reseller_quota' } });
  });
  afterAll(() => stage?.close());

  test.each([null, ...answered, 'timeout_before_transfer'])(
    '%s of a recall: the quota is raised once under the id of the recall',
    async (scenario) => {
      const { accountId, to } = await stage.newPayee();
      const delivery = await stage.recharge(accountId, 'fund_account', AMOUNT);
      await stage.succeeds(delivery, 1);
      if (scenario) await stage.control('alibaba/behave', { scenario, to });
      const recall = await stage.refund(delivery, 345);
      await stage.succeeds(recall, 1);
      const { consumed } = await stage.shown<{ consumed: number }>(`alibaba/reseller-customers/${to}`);
      expect(consumed).toBe(CREDIT_LINE - AMOUNT + 345);
      const { changes } = await stage.shown<{ changes: object[] }>(
        `alibaba/quota-changes?out_biz_id=${recall}`,
      );
      expect(changes).toHaveLength(1);
      expect(await stage.read(delivery)).toMatchObject({ refunded: 345 });
    },
  );

  test('the books hold', async () => {
    expect(await brokenRules()).toEqual([]);
  });
});
