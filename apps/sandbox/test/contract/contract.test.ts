import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { nextStep } from '@replenish/domain/rules';
import type { Order, Provider, QueryOutcome, SoughtOrder, SubmitOutcome } from '@replenish/providers';
import { Cloud, openProxy } from '../alibaba-cloud/support/cloud.js';
import { until } from '../support/rig.js';
import { type Bench, benches } from './benches.js';

// Each provider runs against its simulator over HTTP, through its vendor's SDK, behind a proxy that counts requests.
const cloud = new Cloud();
beforeAll(() => cloud.start());
afterAll(() => cloud.close());

const soon = (limitMs = 5_000) => AbortSignal.timeout(limitMs);
const submits = () => ({ firstStartedAt: new Date(Date.now() - 5_000), lastEndedAt: new Date() });
const cases = ({ amounts }: Bench, fate: 'taken' | 'refused') =>
  Object.entries(amounts).flatMap(([currency, by]) =>
    (by[fate] ?? []).map((amountMinor) => ({ currency, amountMinor })),
  );

describe.each(benches)('$name', (bench) => {
  let proxy: Awaited<ReturnType<typeof openProxy>>;
  let provider: Provider;
  let order: Order;

  beforeAll(async () => {
    proxy = await openProxy(bench.url(cloud), () => {});
    provider = bench.open(cloud, proxy.url);
    // The first call loads the SDK, which takes time.
    await submit(await bench.order(cloud));
  });
  beforeEach(async () => {
    order = await bench.order(cloud);
  });
  afterEach(async () => {
    await cloud.post('/_control/alibaba/clock', { aheadMs: 0 });
  });
  afterAll(async () => {
    await provider.close();
    await proxy.close();
  });

  const submit = async (one = order, signal = soon()): Promise<SubmitOutcome> =>
    (await provider.orders.submit(one, signal)).outcome;
  const find = async (changes: Partial<SoughtOrder> = {}): Promise<QueryOutcome> =>
    (await provider.orders.find({ ...order, submits: submits(), ...changes }, soon())).outcome;

  /** What is known of an order in the end: the answer to its submit, or the answer to a question. */
  async function settledFacts(answer: SubmitOutcome): Promise<unknown> {
    if (answer.kind === 'settled') return answer;
    const { providerOrderId = null } = answer as { providerOrderId?: string | null };
    await bench.settle(cloud, order);
    let found: QueryOutcome = { kind: 'absent' };
    await until(async () => {
      found = await find({ providerOrderId });
      return found.kind === 'found' && found.status === 'settled';
    });
    return found;
  }

  test.each(cases(bench, 'taken'))('$currency $amountMinor is the same on both sides', async (terms) => {
    order = await bench.order(cloud, terms);
    const answer = await submit();
    expect(['accepted', 'settled']).toContain(answer.kind);
    expect(await bench.booked(cloud, order)).toMatchObject([
      { amount: Number(terms.amountMinor), currency: terms.currency },
    ]);
    expect(await settledFacts(answer)).toMatchObject(terms);
  });

  const refused = cases(bench, 'refused');
  if (refused.length > 0)
    test.each(refused)('$currency $amountMinor is refused for good, and nothing is booked', async (terms) => {
      order = await bench.order(cloud, terms);
      expect(await submit()).toMatchObject({ kind: 'rejected' });
      expect(await bench.booked(cloud, order)).toEqual([]);
    });

  test('a submit is one request, or one beside the reads before and after it', async () => {
    const before = proxy.count();
    await submit();
    expect(proxy.count()).toBe(before + (bench.requestsPerSubmit ?? 1));
  });

  test('an order that is submitted again is one order, or it is not submitted again without a proof', async () => {
    const { promises } = provider.orders;
    await submit();
    if (promises.idempotentSubmit) {
      await submit();
    } else {
      const now = new Date();
      const asked = { state: 'PENDING_CONFIRMATION', confirmation: 'unknown', evidence: 'absent' } as const;
      const { step } = nextStep({ ...asked, absentAt: [now], lastSubmitEndedAt: now, now }, promises);
      expect(step).toBe('ask');
    }
    expect(await bench.booked(cloud, order)).toHaveLength(1);
  });

  test('a submit whose answer is lost is unknown, and ends as one order', async () => {
    order = await bench.loseAnswer(cloud, order);
    const giveUp = new AbortController();
    const sending = submit(order, giveUp.signal);
    await until(async () => (await bench.booked(cloud, order)).length === 1);
    giveUp.abort();
    const outcome = await sending;
    expect(outcome).toEqual({ kind: 'unknown', cause: 'timeout' });
    if (bench.looksUp) {
      await bench.settle(cloud, order);
      const { amountMinor, currency } = order;
      let found: QueryOutcome = { kind: 'absent' };
      // The search of a provider may lag behind its orders.
      await until(async () => {
        found = await find();
        return found.kind === 'found';
      });
      expect(found).toMatchObject({ amountMinor, currency });
    } else await submit();
    expect(await bench.booked(cloud, order)).toHaveLength(1);
  });

  test('an order that was never sent is absent, or nothing is said about it', async () => {
    const expected = bench.looksUp
      ? { kind: 'absent' }
      : { kind: 'unknown', cause: 'unproven', code: 'NoLookUp' };
    expect(await find()).toEqual(expected);
  });

  test('a call that is aborted before it begins sends nothing', async () => {
    const before = proxy.count();
    const outcome = { kind: 'not_executed', cause: 'unreachable' };
    expect(await submit(order, AbortSignal.abort())).toEqual(outcome);
    expect(proxy.count()).toBe(before);
    expect(await bench.booked(cloud, order)).toEqual([]);
  });
});
