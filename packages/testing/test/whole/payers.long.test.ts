import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { checkBooks } from '../../src/books/books.js';
import { TEST_LIMIT_MS } from '../support/setting.js';
import { WholeStage } from '../support/whole.js';

jest.setTimeout(TEST_LIMIT_MS);

const AMOUNT = 12_345;

let stage: WholeStage;
beforeAll(async () => {
  stage = await WholeStage.open();
});
afterAll(() => stage?.close());

/** A collection that waits for its payer. */
async function waitsForPayer(paymentMethod: string, scenario?: string) {
  const accountId = `acct-${randomUUID()}`;
  const metadata = scenario ? { metadata: { scenario } } : {};
  const id = await stage.recharge(accountId, paymentMethod, AMOUNT, metadata);
  const isWaiting = async () => {
    const body = await stage.read(id);
    return (body.waiting as { reason: string } | null)?.reason === 'PAYER' && body;
  };
  const body = await stage.until(isWaiting, `${id} waits for its payer`);
  return { accountId, id, action: body.action as { type: string; value: string } };
}

const cancel = async (id: string) =>
  expect((await stage.post(`/v1/recharges/${id}/cancel`, {})).status).toBe(200);

describe('a card', () => {
  type Intent = { id: string; status: string; charges: unknown[] };
  const intentOf = async (id: string) =>
    (await stage.shown<{ payment_intents: Intent[] }>(`stripe/payment_intents?reference=${id}`))
      .payment_intents[0]!;

  test('that has to be confirmed waits for its payer, and is charged once it is', async () => {
    const { id, action, accountId } = await waitsForPayer('credit_card', 'requires_action');
    expect(action.type).toBe('client_secret');
    await stage.control('stripe/pay', { id: (await intentOf(id)).id, card: 'ok' });
    await stage.succeeds(id, 1);
    expect(await stage.balance(accountId)).toBe(AMOUNT);
    expect((await intentOf(id)).charges).toHaveLength(1);
  });

  test('that is declined fails, and can be charged no more', async () => {
    const id = await stage.recharge(`acct-${randomUUID()}`, 'credit_card', AMOUNT, {
      metadata: { scenario: 'declined' },
    });
    const { failure } = await stage.reads(id, { state: 'FAILED' });
    expect(failure).toMatchObject({ code: 'PAYMENT_FAILED' });
    expect(await intentOf(id)).toMatchObject({ status: 'canceled', charges: [] });
  });

  test('whose payer does not come is canceled at Stripe first, and then here', async () => {
    const { id } = await waitsForPayer('credit_card', 'payer_absent');
    await cancel(id);
    await stage.reads(id, { state: 'CANCELED' });
    expect(await intentOf(id)).toMatchObject({ status: 'canceled' });
  });
});

describe('a code of Alipay', () => {
  type Trade = { out_trade_no: string; trade_status: string };
  const numberOf = (id: string) => id.replaceAll('-', '');
  const tradeOf = async (id: string) =>
    (await stage.shown<{ trades: Trade[] }>(`alipay/trades?reference=${id}`)).trades[0]!;

  /** A trade that the payer looked at and did not pay, and that we closed. */
  async function closed() {
    const given = await waitsForPayer('alipay');
    await stage.control('alipay/scan', { out_trade_no: numberOf(given.id) });
    await cancel(given.id);
    await stage.reads(given.id, { state: 'CANCELED' });
    expect(await tradeOf(given.id)).toMatchObject({ trade_status: 'TRADE_CLOSED' });
    return given;
  }
  async function paidAfterClose() {
    const given = await closed();
    await stage.control('alipay/behave', { scenario: 'pay_after_close', reference: given.id });
    await stage.control('alipay/pay', { reference: given.id });
    const opened = await stage.caseOf(given.id);
    expect(opened).toMatchObject({ kind: 'late_money', verbs: expect.arrayContaining(['adopt', 'return']) });
    expect(await stage.balance(given.accountId)).toBe(0);
    return { ...given, caseId: opened.caseId };
  }
  const resolve = async (caseId: string, verb: string) => {
    const answer = await stage.post(`/v1/cases/${caseId}/resolutions`, {
      ...{ verb, reason: 'as read', evidence: { statement: 'paid late' } },
    });
    expect(answer).toMatchObject({ status: 200 });
  };

  test('that nobody paid is closed at Alipay first, and then canceled here', async () => {
    await closed();
  });

  test('that is paid after it was closed is a case, and adopting it credits the wallet once', async () => {
    const { id, accountId, caseId } = await paidAfterClose();
    await resolve(caseId, 'adopt');
    await stage.reads(id, { state: 'SUCCEEDED' });
    expect(await stage.balance(accountId)).toBe(AMOUNT);
  });

  test('that is paid after it was closed is refunded once where a person returns it', async () => {
    const { id, accountId, caseId } = await paidAfterClose();
    await resolve(caseId, 'return');
    const refunds = async () =>
      (await stage.shown<{ trades: { refunds: object[] }[] }>(`alipay/trades?reference=${id}`)).trades[0]!
        .refunds;
    await stage.until(async () => (await refunds()).length === 1, 'one refund at Alipay');
    const isDone = () =>
      stage.rows(`select 1 from report.recharges where state = 'SUCCEEDED' and kind = 'refund'`);
    await stage.until(async () => (await isDone()).length === 1, 'the end of the refund');
    expect(await refunds()).toMatchObject([{ amount: AMOUNT }]);
    expect(await stage.balance(accountId)).toBe(0);
  });

  test('whose notification is lost, doubled or late is credited once', async () => {
    for (const scenario of ['notify_lost', 'notify_twice', 'notify_late']) {
      const { id, accountId } = await waitsForPayer('alipay');
      await stage.control('alipay/behave', { scenario, reference: id });
      await stage.control('alipay/pay', { reference: id });
      await stage.succeeds(id, 1);
      expect([scenario, await stage.balance(accountId)]).toEqual([scenario, AMOUNT]);
    }
  });
});

test('the invariants hold', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
