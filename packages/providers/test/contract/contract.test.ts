import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Order, QueryOutcome, SubmitOutcome } from '../../src/contract/order.js';
import type { Provider } from '../../src/contract/provider.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { anOrder, aSandboxOrder, aSettledOrder, soon } from '../support/builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

/** A provider that keeps its own protocol: in-memory orders, answered in its own format. */
type Bench = Readonly<{ name: string; open: (url: string) => Provider; faithful: () => Script }>;

/** The sandbox's protocol in a page. `decline-` and `refuse-` references end so; `settle-` are settled at once. */
function faithfulSandbox(): Script {
  const orders = new Map<string, unknown>();
  return (response, heard) => {
    const asked = new URL(heard.url, 'http://sandbox').searchParams.get('reference');
    if (heard.method === 'GET') {
      const found = orders.get(asked ?? '');
      return says(200, { orders: found ? [found] : [] })(response, heard);
    }
    const { reference, accountId, amount, currency } = JSON.parse(heard.body);
    if (reference.startsWith('refuse-'))
      return says(422, { code: 'invalid_parameter', message: 'no' })(response, heard);
    const known = orders.get(reference);
    if (known) return says(200, known, { 'Idempotent-Replayed': 'true' })(response, heard);
    const id = `sbx_${orders.size + 1}`;
    const order = reference.startsWith('settle-')
      ? aSettledOrder({
          id,
          reference,
          accountId,
          amount,
          currency,
          charges: [{ amount, status: 'captured' }],
        })
      : aSandboxOrder({ id, reference, accountId, amount, currency });
    orders.set(reference, order);
    return says(201, order)(response, heard);
  };
}

const benches: Bench[] = [
  { name: 'sandbox', open: (baseUrl) => sandboxProvider({ baseUrl }), faithful: faithfulSandbox },
];

describe.each(benches)('$name keeps the provider contract', ({ open, faithful }) => {
  let server: ScriptedServer;
  let provider: Provider;
  const submit = async (order: Order): Promise<SubmitOutcome> =>
    (await provider.orders.submit(order, soon())).outcome;
  const query = async (reference: string): Promise<QueryOutcome> =>
    (await provider.orders.find(anOrder({ reference }), soon())).outcome;

  beforeAll(async () => {
    server = await openScriptedServer();
    provider = open(server.url);
  });
  beforeEach(() => server.play(faithful()));
  afterAll(async () => {
    await provider.close();
    await server.close();
  });

  test('a taken order is accepted, and found afterwards', async () => {
    const taken = await submit(anOrder());
    expect(taken).toMatchObject({ kind: 'accepted', providerOrderId: expect.any(String) });
    expect(await query('rcg-1')).toMatchObject({ kind: 'found', status: 'pending', amountMinor: 4_999n });
  });

  test('the same reference twice is one order', async () => {
    expect(await submit(anOrder())).toEqual(await submit(anOrder()));
  });

  test('an order is told with its account and money, in the answer and when it is asked about', async () => {
    const terms = { accountId: 'acct-1', amountMinor: 4_999n, currency: 'USD' };
    const taken = await submit(anOrder());
    expect(taken).toMatchObject(terms);
    expect(await query('rcg-1')).toMatchObject({ ...terms, providerOrderId: Object(taken).providerOrderId });
  });

  test('an order that is done at once says the money that moved', async () => {
    const amountMinor = 2n ** 53n - 1n;
    const settled = await submit(anOrder({ reference: 'settle-1', amountMinor, currency: 'JPY' }));
    expect(settled).toMatchObject({ kind: 'settled', amountMinor, currency: 'JPY' });
    expect(await query('settle-1')).toMatchObject({ kind: 'found', status: 'settled', amountMinor });
  });

  test('a refusal is rejected and leaves no order', async () => {
    expect(await submit(anOrder({ reference: 'refuse-1' }))).toMatchObject({ kind: 'rejected' });
    expect(await query('refuse-1')).toEqual({ kind: 'absent' });
  });

  test('an order never sent is absent, not rejected', async () => {
    expect(await query('never-sent')).toEqual({ kind: 'absent' });
  });

  test('no answer: an abort is an outcome, not an exception, and what was sent stays unknown', async () => {
    server.play(() => {});
    expect((await provider.orders.submit(anOrder(), soon(100))).outcome).toEqual({
      kind: 'unknown',
      cause: 'timeout',
    });
    expect((await provider.orders.find(anOrder(), soon(100))).outcome).toEqual({
      kind: 'unknown',
      cause: 'timeout',
    });
  });

  test('a call that was aborted before it began sent nothing', async () => {
    const outcome = (await provider.orders.submit(anOrder(), AbortSignal.abort())).outcome;
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'unreachable' });
    expect(server.heard).toEqual([]);
  });

  test('a connection reset after the order was read is unknown', async () => {
    server.play((response) => response.socket?.resetAndDestroy());
    expect(await submit(anOrder())).toEqual({ kind: 'unknown', cause: 'disconnected' });
    expect(await query('rcg-1')).toEqual({ kind: 'unknown', cause: 'disconnected' });
    expect(server.heard).toHaveLength(2);
  });

  test('nobody listening: certainly not executed', async () => {
    const gone = await openScriptedServer();
    await gone.close();
    const lost = open(gone.url);
    const nameless = open('http://no-such-host.invalid');
    const unreachable = { kind: 'not_executed', cause: 'unreachable' };
    expect((await lost.orders.submit(anOrder(), soon())).outcome).toEqual(unreachable);
    expect((await lost.orders.find(anOrder(), soon())).outcome).toEqual(unreachable);
    expect((await nameless.orders.submit(anOrder(), soon())).outcome).toEqual(unreachable);
    await lost.close();
    await nameless.close();
  });

  test('a webhook that nobody signed is refused, whatever it is', () => {
    for (const headers of [{}, { 'webhook-signature': 'v1,' }, { 'x-signature': ['a', 'b'] }])
      expect(provider.webhooks!.verify(Buffer.from('{}'), headers, new Date())).toEqual({
        ok: false,
        refusal: 'bad_signature',
      });
  });

  test.each([
    ['no text', Buffer.from([0xff, 0x00])],
    ['no JSON', Buffer.from('hello')],
    ['null', Buffer.from('null')],
    ['nothing', Buffer.alloc(0)],
  ])('an event that says nothing is unread, not an exception: %s', (_what, body) => {
    const unread = { kind: 'unread', type: null, reference: null, providerOrderId: null };
    expect(provider.webhooks!.read(body)).toEqual(unread);
  });
});
