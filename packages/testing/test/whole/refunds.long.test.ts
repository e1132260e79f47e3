import { createSign, randomUUID } from 'node:crypto';
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

/** A provider that collects. `refundElsewhere` does what a person does in the provider's own console. */
type Collector = Readonly<{
  name: string;
  paymentMethod: string;
  /** What the provider's id of a refund looks like. */
  ofRefund: RegExp;
  refundsOf: (id: string) => Promise<readonly number[]>;
  refundElsewhere: (id: string, amount: number) => Promise<unknown>;
}>;

type Refund = { amount: number };
type Endpoints = {
  stripe: { url: string; secretKey: string };
  alipay: { url: string; appId: string; privateKey: string };
};
const amountsOf = (refunds: readonly Refund[] = []) => refunds.map(({ amount }) => amount);

async function sent(url: string, init: RequestInit): Promise<void> {
  const response = await fetch(url, { method: 'POST', ...init });
  if (!response.ok) throw new Error(`${url} was answered ${response.status} ${await response.text()}`);
}

const intentOf = async (id: string) =>
  (
    await stage.shown<{ payment_intents: { id: string; refunds: Refund[] }[] }>(
      `stripe/payment_intents?reference=${id}`,
    )
  ).payment_intents[0]!;

const stripe: Collector = {
  ...{ name: 'stripe', paymentMethod: 'credit_card', ofRefund: /^re_/ },
  refundsOf: async (id) => amountsOf((await intentOf(id)).refunds),
  async refundElsewhere(id, amount) {
    const { url, secretKey } = (await stage.shown<Endpoints>('endpoints')).stripe;
    const intent = await intentOf(id);
    await sent(`${url}/v1/refunds`, {
      headers: { authorization: `Bearer ${secretKey}` },
      body: new URLSearchParams({ payment_intent: intent.id, amount: String(amount) }),
    });
  },
};

const alipay: Collector = {
  ...{ name: 'alipay', paymentMethod: 'alipay', ofRefund: /^[0-9a-f]{32}$/ },
  refundsOf: async (id) =>
    amountsOf(
      (await stage.shown<{ trades: { refunds: Refund[] }[] }>(`alipay/trades?reference=${id}`)).trades[0]
        ?.refunds,
    ),
  async refundElsewhere(id, amount) {
    const { url, appId, privateKey } = (await stage.shown<Endpoints>('endpoints')).alipay;
    const path = '/v3/alipay/trade/refund';
    const body = JSON.stringify({
      ...{ out_trade_no: id.replaceAll('-', ''), out_request_no: 'console-1' },
      refund_amount: (amount / 100).toFixed(2),
    });
    const given = `app_id=${appId},nonce=${randomUUID()},timestamp=${Date.now()}`;
    const sign = createSign('RSA-SHA256').update(`${given}\nPOST\n${path}\n${body}\n`);
    const authorization = `ALIPAY-SHA256withRSA ${given},sign=${sign.sign(privateKey, 'base64')}`;
    await sent(url + path, { headers: { authorization, 'content-type': 'application/json' }, body });
  },
};

describe.each([stripe, alipay])('$name', ({ name, paymentMethod, ofRefund, refundsOf, refundElsewhere }) => {
  /** A collection whose money is in the wallet. */
  async function collected() {
    const accountId = `acct-${randomUUID()}`;
    const id = await stage.recharge(accountId, paymentMethod, AMOUNT);
    if (paymentMethod === 'alipay') await stage.payByAlipay(id);
    await stage.succeeds(id, 1);
    return { id, accountId };
  }
  const askRefund = (id: string, amount?: number, key?: string) =>
    stage.post(`/v1/recharges/${id}/refunds`, { reason: 'as tested', ...(amount && { amount }) }, key);

  test('a part and the rest are refunded, each once', async () => {
    const { id, accountId } = await collected();
    await stage.succeeds(await stage.refund(id, 2_345), 1);
    expect(await stage.balance(accountId)).toBe(10_000);
    await stage.succeeds(await stage.refund(id), 1);
    expect([...(await refundsOf(id))].sort()).toEqual([10_000, 2_345]);
    expect(await stage.balance(accountId)).toBe(0);
    expect(await stage.read(id)).toMatchObject({ state: 'SUCCEEDED', refunded: AMOUNT });
  });

  test.each([
    'timeout_before_create',
    'timeout_after_create',
    'reset_after_create',
    'server_error_after_create',
    'html_answer',
  ])('%s of a refund: one refund in the end, found or sent again', async (scenario) => {
    const { id, accountId } = await collected();
    await stage.control(`${name}/behave`, { scenario });
    const refund = await stage.refund(id, 2_345);
    await stage.succeeds(refund, 1);
    expect(await refundsOf(id)).toEqual([2_345]);
    expect(await stage.balance(accountId)).toBe(10_000);
    // A webhook may end the refund while its call still waits.
    const isUnknown = () =>
      stage.rows(`select 1 from report.provider_calls
                   where transaction_id = '${refund}' and operation = 'submit' and outcome = 'unknown'`);
    await stage.until(async () => (await isUnknown()).length === 1, 'one call of unknown outcome');
    // A call without an answer tells no id, so a webhook or a question does.
    expect((await stage.read(refund)).providerOrderId).toMatch(ofRefund);
  });

  test.each(['submission.after-claim', 'submission.after-call', 'submission.after-answer'])(
    'the worker dies at %s of a refund: one refund',
    async (point) => {
      const { id } = await collected();
      stage.fleet.arm(point);
      const refund = await stage.refund(id);
      await stage.fleet.crashed(point, TEST_LIMIT_MS);
      await stage.succeeds(refund, 1);
      expect(await refundsOf(id)).toEqual([AMOUNT]);
    },
  );

  test('a double click with one key is one refund', async () => {
    const { id } = await collected();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 4 }, () => askRefund(id, 2_345, key)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 202]);
    const ids = new Set(answers.map(({ body }) => String(body.transactionId)));
    expect(ids.size).toBe(1);
    await stage.succeeds([...ids][0]!, 1);
    expect(await refundsOf(id)).toEqual([2_345]);
  });

  test('two people who refund at once, each with a key, pay back once', async () => {
    const { id } = await collected();
    const answers = await Promise.all([askRefund(id), askRefund(id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    const { transactionId } = answers.find(({ status }) => status === 202)!.body;
    await stage.succeeds(String(transactionId), 1);
    expect(await refundsOf(id)).toEqual([AMOUNT]);
  });

  test('more than what is left is an invalid argument, and a refund of nothing an invalid state', async () => {
    const { id } = await collected();
    expect(await askRefund(id, AMOUNT + 1)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_ARGUMENT' },
    });
    const refund = await stage.refund(id);
    expect(await askRefund(id, 1)).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
    expect(await askRefund(id)).toMatchObject({ status: 409, body: { code: 'INVALID_STATE' } });
    await stage.succeeds(refund, 1);
    expect(await refundsOf(id)).toEqual([AMOUNT]);
  });

  test('a refund that the provider refuses fails, and the wallet has its money again', async () => {
    const { id, accountId } = await collected();
    await refundElsewhere(id, 5_000);
    const refund = await stage.refund(id);
    const { failure } = await stage.reads(refund, { state: 'FAILED' });
    expect(failure).toMatchObject({ code: 'PROVIDER_ERROR' });
    expect(await refundsOf(id)).toEqual([5_000]);
    expect(await stage.balance(accountId)).toBe(AMOUNT);
    expect(await stage.read(id)).toMatchObject({ refunded: 0 });
  });

  test('a refund that somebody made in the console of the provider is a case of its recharge', async () => {
    const { id } = await collected();
    await refundElsewhere(id, 5_000);
    expect(await stage.caseOf(id)).toMatchObject({ kind: 'unread_event' });
    // What is left at the provider can still be refunded by us.
    await stage.succeeds(await stage.refund(id, AMOUNT - 5_000), 1);
    expect(await refundsOf(id)).toEqual(expect.arrayContaining([5_000, AMOUNT - 5_000]));
  });

  test('refunds wait while the breaker is open, say so, and are made once each', async () => {
    const { id, accountId } = await collected();
    await stage.control('outage', { mode: 'down' });
    const refunds = await Promise.all(Array.from({ length: 12 }, () => stage.refund(id, 100)));
    const isTold = async () => {
      const bodies = await Promise.all(refunds.map((refund) => stage.read(refund)));
      return bodies.some(({ waiting }) => (waiting as { reason: string } | null)?.reason === 'PROVIDER_DOWN');
    };
    await stage.until(isTold, 'a refund that waits for the provider');
    await stage.control('outage', { mode: 'none' });
    for (const refund of refunds) await stage.succeeds(refund, 1);
    expect(await refundsOf(id)).toEqual(refunds.map(() => 100));
    expect(await stage.balance(accountId)).toBe(AMOUNT - 1_200);
  });
});

test('the invariants hold', async () => {
  expect(await checkBooks(stage.fleet)).toEqual([]);
});
