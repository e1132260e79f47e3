import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 12_345;
// The account that the fleet's transfers start from, and that its recalls go to.
const SOURCE = 'fa-main';
const FACT = { statement: 'read in the console of the provider' };

// A busy machine may take long for a call. With the usual limit of these fleets, a delivery would wait for a person too.
const env = { ALIBABA_CLOUD_RESUBMIT: 'person', PROVIDER_TIMEOUT_MS: '10000' };

let stage: WholeStage;
beforeAll(async () => {
  stage = await WholeStage.open({ env });
});
afterAll(() => stage?.close());

/** A delivery that the house paid, and its recall, whose transfer got no answer and is in no list. */
async function lostRecall() {
  const { accountId, to } = await stage.newPayee();
  const delivery = await stage.recharge(accountId, 'fund_account', AMOUNT);
  await stage.succeeds(delivery, 1);
  await stage.control('alibaba/behave', { scenario: 'timeout_before_transfer', to: SOURCE });
  const recall = await stage.refund(delivery);
  return { to, delivery, recall, opened: await stage.caseOf(recall) };
}
const resolve = (caseId: string, verb: string, key?: string) =>
  stage.post(`/v1/cases/${caseId}/resolutions`, { verb, reason: 'as read', evidence: FACT }, key);

test('a recall of unknown outcome waits for a person with every search as evidence, and nothing is sent', async () => {
  const { to, recall, opened } = await lostRecall();
  expect(opened).toMatchObject({ kind: 'absent_order', verbs: expect.arrayContaining(['resubmit', 'fail']) });
  const { scans } = opened.evidence.evidence as { scans: object[] };
  expect(scans.length).toBeGreaterThanOrEqual(2);
  for (const scan of scans) expect(scan).toMatchObject({ evidence: { isComplete: true, suspects: [] } });
  const { waiting } = await stage.reads(recall, { state: 'PENDING_CONFIRMATION' });
  expect(waiting).toMatchObject({ reason: 'PERSON', caseId: opened.caseId });
  expect(await stage.transfersFrom(to)).toEqual([]);
});

test('resubmit makes the recall once, however often it is asked for', async () => {
  const { to, delivery, recall, opened } = await lostRecall();
  const answers = await Promise.all([resolve(opened.caseId, 'resubmit'), resolve(opened.caseId, 'resubmit')]);
  expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
  await stage.succeeds(recall, 1);
  expect(await stage.transfersFrom(to)).toMatchObject([{ amount: AMOUNT, kind: 'recycle' }]);
  expect(await stage.read(delivery)).toMatchObject({ refunded: AMOUNT });
});

test('fail ends the recall, the money stays at the cloud account, and it can be recalled again', async () => {
  const { to, delivery, recall, opened } = await lostRecall();
  expect(await resolve(opened.caseId, 'fail')).toMatchObject({ status: 200 });
  expect(await stage.reads(recall, { state: 'FAILED' })).toMatchObject({ waiting: null });
  expect(await stage.transfersFrom(to)).toEqual([]);
  expect(await stage.read(delivery)).toMatchObject({ refunded: 0 });
  await stage.succeeds(await stage.refund(delivery), 1);
  expect(await stage.transfersFrom(to)).toHaveLength(1);
});

test('a recall that was made after all is found, which answers the case', async () => {
  const { accountId, to } = await stage.newPayee();
  const delivery = await stage.recharge(accountId, 'fund_account', AMOUNT);
  await stage.succeeds(delivery, 1);
  // The row becomes visible later than the searches end, so that the case is open by then.
  await stage.control('alibaba/behave', { scenario: 'visible_late', to: SOURCE, delayMs: 1_200_000 });
  stage.fleet.arm('submission.after-call');
  const recall = await stage.refund(delivery);
  const { kind, caseId } = await stage.caseOf(recall);
  expect(kind).toBe('absent_order');
  await stage.control('alibaba/clock', { aheadMs: 1_300_000 });
  await stage.succeeds(recall, 1);
  expect(await stage.transfersFrom(to)).toHaveLength(1);
  expect(await resolve(caseId, 'resubmit')).toMatchObject({ status: 409 });
  await stage.control('alibaba/clock', { aheadMs: 0 });
});

test.each(['timeout_after_transfer', 'reset_after_transfer', 'server_error_after_transfer', 'html_answer'])(
  '%s of a recall: the search finds the one transfer, and no person is asked',
  async (scenario) => {
    const { accountId, to } = await stage.newPayee();
    const delivery = await stage.recharge(accountId, 'fund_account', AMOUNT);
    await stage.succeeds(delivery, 1);
    await stage.control('alibaba/behave', { scenario, to: SOURCE });
    const recall = await stage.refund(delivery);
    await stage.succeeds(recall, 1);
    expect(await stage.transfersFrom(to)).toMatchObject([{ amount: AMOUNT, kind: 'recycle' }]);
    const cases = await stage.rows(`select 1 from report.cases where transaction_id = '${recall}'`);
    expect(cases).toEqual([]);
  },
);

test('the invariants hold', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
