import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openProviders, type Provider, type Providers } from '@replenish/providers';
import { newId } from '@replenish/runtime';
import { until as untilWithin } from '@replenish/testing';
import { openReceiver, SECRET } from './support/receiver.js';
import { Rig } from './support/rig.js';

let rig: Rig;
let providers: Providers;
let provider: Provider;
beforeAll(async () => {
  rig = new Rig(await openReceiver(), { settlementMs: 20 });
  await rig.start();
  providers = openProviders({
    SANDBOX_URL: rig.sandbox.url,
    SANDBOX_WEBHOOK_SECRET: SECRET,
    NODE_ENV: 'test',
    PROVIDER_TIMEOUT_MS: 1_000,
  });
  provider = providers.raw('sandbox', 'main')!;
});
afterAll(async () => {
  await providers.close();
  await rig.close();
});

const until = (condition: () => unknown) =>
  untilWithin(condition, { limitMs: 30_000 }, 'what the test awaits');
const soon = (ms = 5_000) => AbortSignal.timeout(ms);

/** An order of 4,999 cents that is settled, as the target of a refund. */
async function settledOrder() {
  const reference = newId();
  const { body } = await rig.submit(reference, { scenario: 'ok_no_webhook' });
  await until(async () => (await rig.inspect(reference))[0]?.status === 'settled');
  return { reference, providerOrderId: body.id as string };
}

const refundOf = async (amountMinor: bigint, metadata: Record<string, string> = {}) => ({
  ...{ reference: newId(), of: await settledOrder(), accountId: 'acct-1001' },
  ...{ amountMinor, currency: 'USD', notifyUrl: rig.receiver.url, metadata },
});

const submit = async (refund: Awaited<ReturnType<typeof refundOf>>, ms?: number) =>
  (await provider.refunds!.submit(refund, soon(ms))).outcome;
const find = async (refund: Awaited<ReturnType<typeof refundOf>>) =>
  (await provider.refunds!.find(refund, soon())).outcome;

test('a refund settles, moves its amount once whatever its repeats, and is listed inside its order', async () => {
  const refund = await refundOf(1_000n);
  expect(await find(refund)).toEqual({ kind: 'absent' });
  const answers = await Promise.all([submit(refund), submit(refund), submit(refund)]);
  expect(answers.map(({ kind }) => kind)).toEqual(['accepted', 'accepted', 'accepted']);
  await until(async () => (await rig.inspect(refund.reference))[0]?.status === 'settled');
  expect(await find(refund)).toMatchObject({ kind: 'found', status: 'settled', amountMinor: 1_000n });
  const [order] = await rig.inspect(refund.of.reference);
  expect(order).toMatchObject({
    refunds: [{ reference: refund.reference, amount: 1_000, status: 'settled' }],
  });
});

test('refunds at the same time never exceed their order', async () => {
  const refund = await refundOf(1_000n);
  const refunds = Array.from({ length: 8 }, () => ({ ...refund, reference: newId() }));
  const outcomes = await Promise.all(refunds.map((one) => submit(one)));
  expect(outcomes.filter(({ kind }) => kind === 'accepted')).toHaveLength(4);
  expect(outcomes.filter(({ kind }) => kind === 'rejected')).toHaveLength(4);
});

test('a refund that is carried out without an answer is found', async () => {
  const refund = await refundOf(1_000n, { scenario: 'timeout_after_charge' });
  expect(await submit(refund, 200)).toMatchObject({ kind: 'unknown' });
  expect(await find(refund)).toMatchObject({ kind: 'found', status: 'settled' });
});

test('a refund is declined by a scenario of its own, and its money can be refunded again', async () => {
  const refund = await refundOf(4_999n, { scenario: 'ok', refundScenario: 'declined' });
  expect(await submit(refund)).toMatchObject({ kind: 'accepted' });
  await until(async () => (await rig.inspect(refund.reference))[0]?.status === 'declined');
  expect(await find(refund)).toMatchObject({ kind: 'found', status: 'declined' });
  expect(await submit({ ...refund, reference: newId(), metadata: {} })).toMatchObject({ kind: 'accepted' });
});

test('a webhook of a refund names the refund and its amount', async () => {
  const refund = await refundOf(1_000n);
  await submit(refund);
  const mine = () =>
    rig.receiver.received
      .map(({ body }) => JSON.parse(String(body)))
      .find(({ data }) => data.reference === refund.reference);
  await until(() => mine() !== undefined);
  expect(provider.webhooks!.read(Buffer.from(JSON.stringify(mine())))).toMatchObject({
    ...{ kind: 'order', reference: refund.reference, status: 'settled', amountMinor: 1_000n },
  });
});
