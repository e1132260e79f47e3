import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Order, QueryOutcome, SubmitOutcome } from '../../src/contract/order.js';
import type { Provider } from '../../src/contract/provider.js';
import { sandboxProvider } from '../../src/sandbox/provider.js';
import { anOrder, aSandboxOrder, aSettledOrder, soon } from '../support/builders.js';
import { openScriptedServer, type Script, type ScriptedServer, says } from '../support/scripted-server.js';

/** A provider under test. `faithful` is a server that follows the provider's protocol, with orders in memory. */
type Bench = Readonly<{ name: string; open: (url: string) => Provider; faithful: () => Script }>;

/**
 * A minimal server with the sandbox's protocol. The beginning of the reference decides the end: orders with `decline-`
 * are declined, with `refuse-` refused, and with `settle-` settled immediately.
 */
function faithfulSandbox(): Script {
  const orders = new Map<string, unknown>();
  return (response, request) => {
    const sought = new URL(request.url, 'http://sandbox').searchParams.get('reference');
    if (request.method === 'GET') {
      const found = orders.get(sought ?? '');
      return says(200, { orders: found ? [found] : [] })(response, request);
    }
    const { reference, accountId, amount, currency } = JSON.parse(request.body);
    if (reference.startsWith('refuse-'))
      return says(422, { code: 'invalid_parameter', message: 'no' })(response, request);
    const known = orders.get(reference);
    if (known) return says(200, known, { 'Idempotent-Replayed': 'true' })(response, request);
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
    return says(201, order)(response, request);
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

  test('an accepted order is found afterwards', async () => {
    const taken = await submit(anOrder());
    expect(taken).toMatchObject({ kind: 'accepted', providerOrderId: expect.any(String) });
    expect(await query('rcg-1')).toMatchObject({ kind: 'found', status: 'pending', amountMinor: 4_999n });
  });

  test('submitting the same reference twice creates one order', async () => {
    expect(await submit(anOrder())).toEqual(await submit(anOrder()));
  });

  test('the answer to a submit and the answer to a query carry account, amount and currency', async () => {
    const terms = { accountId: 'acct-1', amountMinor: 4_999n, currency: 'USD' };
    const taken = await submit(anOrder());
    expect(taken).toMatchObject(terms);
    expect(await query('rcg-1')).toMatchObject({ ...terms, providerOrderId: Object(taken).providerOrderId });
  });

  test('an order that settles at once carries the amount that moved', async () => {
    const amountMinor = 2n ** 53n - 1n;
    const settled = await submit(anOrder({ reference: 'settle-1', amountMinor, currency: 'JPY' }));
    expect(settled).toMatchObject({ kind: 'settled', amountMinor, currency: 'JPY' });
    expect(await query('settle-1')).toMatchObject({ kind: 'found', status: 'settled', amountMinor });
  });

  test('a refused order is rejected and does not exist afterwards', async () => {
    expect(await submit(anOrder({ reference: 'refuse-1' }))).toMatchObject({ kind: 'rejected' });
    expect(await query('refuse-1')).toEqual({ kind: 'absent' });
  });

  test('an order that was never sent is absent', async () => {
    expect(await query('never-sent')).toEqual({ kind: 'absent' });
  });

  test('a call that is aborted after sending ends as unknown and does not throw', async () => {
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

  test('a call that was aborted before it began sends nothing', async () => {
    const outcome = (await provider.orders.submit(anOrder(), AbortSignal.abort())).outcome;
    expect(outcome).toEqual({ kind: 'not_executed', cause: 'unreachable' });
    expect(server.requests).toEqual([]);
  });

  test('a connection reset after the order was read is unknown', async () => {
    server.play((response) => response.socket?.resetAndDestroy());
    expect(await submit(anOrder())).toEqual({ kind: 'unknown', cause: 'disconnected' });
    expect(await query('rcg-1')).toEqual({ kind: 'unknown', cause: 'disconnected' });
    expect(server.requests).toHaveLength(2);
  });

  test('a call to a server that does not listen is certainly not executed', async () => {
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

  test('an unsigned webhook is refused', () => {
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
  ])('an unreadable event gives unread and does not throw: %s', (_what, body) => {
    const unread = { kind: 'unread', type: null, reference: null, providerOrderId: null };
    expect(provider.webhooks!.read(body)).toEqual(unread);
  });
});
