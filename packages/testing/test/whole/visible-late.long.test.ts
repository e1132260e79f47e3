import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { withBooks } from '../../src/fleet/producer.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 12_345;
const MINUTE_MS = 60_000;

// The defaults of production, except that a proven absence is sent again.
const env = {
  ALIBABA_CLOUD_VISIBILITY_DELAY_MS: String(30 * MINUTE_MS),
  ALIBABA_CLOUD_SCANS: '3',
  ALIBABA_CLOUD_RESUBMIT: 'auto',
};

describe.each([
  ['fund_account', 'CNY', {}],
  ['agency', 'USD', { ALIBABA_CLOUD_SITE: 'international', ALIBABA_CLOUD_AGENCY_CALL: 'deduct' }],
])('on the rail %s', (rail, currency, more) => {
  let stage: WholeStage;
  beforeAll(async () => {
    stage = await WholeStage.open({ env: { ...env, ALIBABA_CLOUD_RAIL: rail, ...more } });
  });
  afterAll(() => stage?.close());

  const movedTo = async (to: string): Promise<readonly { amount: number }[]> =>
    rail === 'agency'
      ? (await stage.shown<{ deductions: { amount: number }[] }>(`alibaba/agency-customers/${to}`)).deductions
      : stage.transfersTo(to);

  /** Lets time pass: the simulator's clock moves ahead, and the calls of the recharge move into the past. */
  async function pass(id: string, minutes: number, passed: number): Promise<void> {
    await stage.control('alibaba/clock', { aheadMs: passed * MINUTE_MS });
    await stage.rows(
      `update provider_call set started_at = started_at - interval '${minutes} minutes',
              ended_at = ended_at - interval '${minutes} minutes' where transaction_id = '${id}'`,
    );
  }
  const countOf = async (id: string, operation: string) =>
    (
      await stage.rows(
        `select 1 from report.provider_calls where transaction_id = '${id}' and operation = '${operation}'
            and ended_at is not null`,
      )
    ).length;
  async function askAgain(id: string): Promise<void> {
    const before = await countOf(id, 'query');
    const isTaken = async () => {
      const { status } = await stage.post(`/v1/recharges/${id}/recheck`, {});
      return status === 202 || (await countOf(id, 'query')) > before;
    };
    await stage.until(isTaken, 'a recheck that is taken');
    await stage.until(async () => (await countOf(id, 'query')) > before, 'one more search');
  }

  test('a transfer whose answer was lost, and that the list hides for 20 minutes, is not made again', async () => {
    const { accountId, to } = await stage.newPayee(currency);
    await stage.control('alibaba/behave', { scenario: 'visible_late', to, delayMs: 20 * MINUTE_MS });
    stage.fleet.arm('submission.after-call');
    const id = await stage.recharge(accountId, 'fund_account', AMOUNT, { currency });
    await stage.fleet.crashed('submission.after-call', TEST_LIMIT_MS);
    await stage.until(async () => (await movedTo(to)).length === 1, 'the transfer that was made');
    let passed = 0;
    for (const minutes of [1, 9, 9]) {
      passed += minutes;
      await pass(id, minutes, passed);
      await askAgain(id);
      expect([passed, await movedTo(to)]).toMatchObject([passed, [{ amount: AMOUNT }]]);
      expect(await stage.read(id)).toMatchObject({
        state: 'PENDING_CONFIRMATION',
        waiting: { reason: 'PROOF' },
      });
    }
    await pass(id, 2, passed + 2);
    await stage.succeeds(id, 1);
    expect(await movedTo(to)).toMatchObject([{ amount: AMOUNT }]);
    expect(await stage.rows(`select 1 from report.cases where transaction_id = '${id}'`)).toEqual([]);
    expect(await withBooks(stage.fleet, (domain) => domain.verify())).toEqual([]);
  });
});
